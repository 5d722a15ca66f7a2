//! `VS_MODULE_OPERATION`: reading and writing of firmware and parameters (QCA7000, QCA7005, QCA7420).

use bitflags::bitflags;

use crate::field::{Field, Reader, Slice, Visit, Writer, first};
use crate::message::{messages, record};

/// Module: the firmware.
pub const MODULE_FIRMWARE: u16 = 0x7001;
/// Module: the parameters (PIB).
pub const MODULE_PIB: u16 = 0x7002;
/// Maximum number of bytes in one operation.
pub const MODULE_CHUNK: u16 = 1400;

/// Operations.
const READ: u16 = 0x00;
const READ_FLASH: u16 = 0x01;
const START: u16 = 0x10;
const WRITE: u16 = 0x11;
const COMMIT: u16 = 0x12;

bitflags! {
    /// How a write session ends.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct CommitCode: u32 {
        /// Commit in spite of errors.
        const FORCE = 1;
        /// Without a restart.
        const NO_RESET = 1 << 1;
        /// Also as the factory's parameters.
        const FACTORY = 1 << 31;
    }

    /// Modules of [`ModNvmReq`](super::ModNvmReq).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct NvmModules: u8 {
        /// The firmware.
        const FIRMWARE = 1;
        /// The parameters.
        const PIB = 1 << 1;
        /// Store in spite of errors.
        const FORCE = 1 << 4;
    }
}

messages! {
    /// `VS_MODULE_OPERATION.REQ`.
    vs(0xA0B0) => pub struct ModuleOperationReq<'a> {
        /// Reserved.
        pub rsvd: u32,
        /// Operations: 1. Only the first is read.
        pub num_op: u8,
        /// The operation.
        pub operation: Operation<'a>,
    }

    /// `VS_MODULE_OPERATION.CNF`.
    vs(0xA0B1) => pub struct ModuleOperationCnf<'a> {
        /// Status; 0: success.
        pub mstatus: u16,
        /// Error code.
        pub err_rec: u16,
        /// Reserved.
        pub rsvd: u32,
        /// Operations: 1. Only the first is read.
        pub num_op: u8,
        /// Its result.
        pub operation: Outcome<'a>,
    }
}

record! {
    /// Read a part of a module.
    pub struct ReadModule {
        /// 0 from memory, 1 from flash.
        pub mod_op: u16,
        /// Bytes of this record: 18.
        pub mod_op_data_len: u16 => 4,
        /// The module.
        pub module_id: u16,
        /// Its part: 0.
        pub module_sub_id: u16,
        /// Number of bytes requested, at most [`MODULE_CHUNK`].
        pub length: u16,
        /// Offset of the first byte.
        pub offset: u32,
    }
}

record! {
    /// A part of a module.
    pub struct ModulePart<'a> {
        /// Operation, as in the request.
        pub mod_op: u16,
        /// Bytes of this record: 18 and the data.
        pub mod_op_data_len: u16 => 4,
        /// Module, as in the request.
        pub module_id: u16,
        /// Part of the module, as in the request.
        pub module_sub_id: u16,
        /// Number of bytes read; fewer than requested at the end.
        pub length: u16,
        /// Offset of the first byte in the module, as in the request.
        pub offset: u32,
        /// The bytes.
        pub data: Slice<'a> = length,
    }
}

record! {
    /// Begin to write modules.
    pub struct StartSession<'a> {
        /// 0x10.
        pub mod_op: u16,
        /// Bytes of this record: 13 and 12 for each module.
        pub mod_op_data_len: u16 => 4,
        /// Any value.
        pub session_id: u32,
        /// Modules.
        pub num_modules: u8,
        /// See [`ModuleSpec`].
        pub modules: Slice<'a> = u16::from(num_modules) * 12,
    }
}

record! {
    /// A module that will be written.
    pub struct ModuleSpec {
        /// The module.
        pub module_id: u16,
        /// Its part: 0.
        pub module_sub_id: u16,
        /// Its length in bytes.
        pub length: u32,
        /// Its checksum.
        pub checksum: u32,
    }
}

record! {
    /// Confirmation of a session's start.
    pub struct SessionStarted<'a> {
        /// Operation, as in the request.
        pub mod_op: u16,
        /// Bytes of this record.
        pub mod_op_data_len: u16 => 4,
        /// Session, as in the request.
        pub session_id: u32,
        /// Number of modules, as in the request.
        pub num_modules: u8,
        /// For each module its specification, status and error, 16 bit each.
        pub modules: Slice<'a> = u16::from(num_modules) * 16,
    }
}

record! {
    /// Write a part of a module.
    pub struct WriteModule<'a> {
        /// 0x11.
        pub mod_op: u16,
        /// Bytes of this record: 23 and the buffer.
        pub mod_op_data_len: u16 => 4,
        /// The session.
        pub session_id: u32,
        /// Which of the session's modules.
        pub module_index: u8,
        /// The module.
        pub module_id: u16,
        /// Its part: 0.
        pub module_sub_id: u16,
        /// Number of valid bytes in `buffer`.
        pub length: u16,
        /// Offset of the first byte.
        pub offset: u32,
        /// A buffer that is always [`MODULE_CHUNK`] bytes long.
        pub buffer: Slice<'a> = mod_op_data_len.saturating_sub(23),
    }
}

record! {
    /// Confirmation of a write.
    pub struct ModuleWritten {
        /// Operation, as in the request.
        pub mod_op: u16,
        /// Bytes of this record.
        pub mod_op_data_len: u16 => 4,
        /// Session, as in the request.
        pub session_id: u32,
        /// Index of the module in the session, as in the request.
        pub module_index: u8,
        /// Module, as in the request.
        pub module_id: u16,
        /// Part of the module, as in the request.
        pub module_sub_id: u16,
        /// Bytes written.
        pub length: u16,
        /// Offset of the first byte in the module, as in the request.
        pub offset: u32,
    }
}

record! {
    /// End the session and store what was written.
    pub struct CommitSession {
        /// 0x12.
        pub mod_op: u16,
        /// Bytes of this record: 36.
        pub mod_op_data_len: u16 => 4,
        /// The session.
        pub session_id: u32,
        /// See [`CommitCode`].
        pub commit_code: u32 => 20,
    }
}

record! {
    /// Confirmation of a session's end.
    pub struct SessionCommitted {
        /// Operation, as in the request.
        pub mod_op: u16,
        /// Bytes of this record.
        pub mod_op_data_len: u16 => 4,
        /// Session, as in the request.
        pub session_id: u32,
        /// Commit code, as in the request.
        pub commit_code: u32,
        /// Number of modules; their status follows.
        pub num_modules: Option<u8>,
    }
}

record! {
    /// An unknown operation.
    pub struct OtherOperation<'a> {
        /// Its number.
        pub mod_op: u16,
        /// Bytes of this record, including `mod_op` and this field.
        pub mod_op_data_len: u16,
        /// The rest.
        pub data: Slice<'a> = mod_op_data_len.saturating_sub(4),
    }
}

macro_rules! operations {
    ($(#[$meta:meta])* $name:ident: $($variant:ident($record:ident $(<$life:lifetime>)?) = $op:pat),*) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each variant's struct says what it is")]
        pub enum $name<'a> {
            $($variant($record $(<$life>)?),)*
            Other(OtherOperation<'a>),
        }

        impl<'a> Field<'a> for $name<'a> {
            fn take(input: &mut Reader<'a>) -> Self {
                let number = u16::take(&mut input.clone());
                match number {
                    $($op => Self::$variant($record::take(input)),)*
                    _ => Self::Other(OtherOperation::take(input)),
                }
            }
            fn put(&self, out: &mut Writer<'_>) {
                match self {
                    $(Self::$variant(record) => record.put(out),)*
                    Self::Other(record) => record.put(out),
                }
            }
            fn show(&self, name: &'static str, visit: &mut Visit<'_>) {
                match self {
                    $(Self::$variant(record) => record.show(name, visit),)*
                    Self::Other(record) => record.show(name, visit),
                }
            }
        }
    };
}

operations! {
    /// Operation of a [`ModuleOperationReq`].
    Operation:
    Read(ReadModule) = READ | READ_FLASH,
    Start(StartSession<'a>) = START,
    Write(WriteModule<'a>) = WRITE,
    Commit(CommitSession) = COMMIT
}

operations! {
    /// Result in a [`ModuleOperationCnf`].
    Outcome:
    Read(ModulePart<'a>) = READ | READ_FLASH,
    Started(SessionStarted<'a>) = START,
    Written(ModuleWritten) = WRITE,
    Committed(SessionCommitted) = COMMIT
}

impl<'a> ModuleOperationReq<'a> {
    /// The request for one operation.
    pub const fn new(operation: Operation<'a>) -> Self {
        Self { rsvd: 0, num_op: 1, operation }
    }
}

impl<'a> ModuleOperationCnf<'a> {
    /// The confirmation that an operation succeeded.
    pub const fn new(operation: Outcome<'a>) -> Self {
        Self { mstatus: 0, err_rec: 0, rsvd: 0, num_op: 1, operation }
    }
}

impl ReadModule {
    /// Read from memory.
    pub const fn new(module_id: u16, offset: u32, length: u16) -> Self {
        Self { mod_op: READ, mod_op_data_len: 18, module_id, module_sub_id: 0, length, offset }
    }
}

impl ModuleSpec {
    /// Length in a frame.
    pub const LEN: usize = 12;

    /// Its bytes, for [`StartSession::new`].
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        self.put(&mut Writer::new(&mut bytes));
        bytes
    }
}

impl<'a> StartSession<'a> {
    /// Begins to write one module, specified by the bytes of its [`ModuleSpec`].
    pub const fn new(session_id: u32, module: &'a [u8; ModuleSpec::LEN]) -> Self {
        Self { mod_op: START, mod_op_data_len: 25, session_id, num_modules: 1, modules: Slice(module) }
    }

    /// The modules.
    pub fn modules(&self) -> impl Iterator<Item = ModuleSpec> + 'a {
        let modules: &'a [u8] = self.modules.0;
        modules.chunks_exact(ModuleSpec::LEN).filter_map(|spec| Some(first(spec)?.0))
    }
}

impl<'a> WriteModule<'a> {
    /// Writes `length` bytes of the first module; `buffer` contains them, then zeros.
    pub const fn new(
        session_id: u32,
        module_id: u16,
        offset: u32,
        length: u16,
        buffer: &'a [u8; MODULE_CHUNK as usize],
    ) -> Self {
        Self {
            mod_op: WRITE,
            mod_op_data_len: 23 + MODULE_CHUNK,
            session_id,
            module_index: 0,
            module_id,
            module_sub_id: 0,
            length,
            offset,
            buffer: Slice(buffer),
        }
    }

    /// The valid bytes.
    pub fn data(&self) -> &'a [u8] {
        self.buffer.0.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl CommitSession {
    /// Ends the session.
    pub const fn new(session_id: u32, code: CommitCode) -> Self {
        Self { mod_op: COMMIT, mod_op_data_len: 36, session_id, commit_code: code.bits() }
    }
}
