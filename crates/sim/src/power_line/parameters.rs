//! Reading and writing of a modem's parameters (`VS_MODULE_OPERATION`).

use homeplug_mme::Mac;
use homeplug_mme::view::{
    CommitCode, MODULE_CHUNK, MODULE_PIB, ModuleOperationCnf, ModulePart, ModuleWritten, Operation, Outcome,
    ReadModule, SessionCommitted, SessionStarted, Slice, StartSession, WriteModule,
};

use machine::Duration;
use modem::pib::checksum32;

use super::image::Image;
use super::modem::Modem;
use super::write;
use super::writing::Writing;

/// Status of a refused request: any value but 0; judgement.
const REFUSED: u16 = 1;
/// Largest accepted image, in bytes: judgement.
const LARGEST_IMAGE: u32 = 1 << 20;

impl Modem {
    /// Carries out one operation and confirms it.
    pub(super) fn operate(
        &mut self,
        operation: Operation<'_>,
        to: Mac,
        mac: Mac,
        restarts: &mut Option<Duration>,
    ) -> Vec<u8> {
        let mut specs = Vec::new();
        let part;
        let (outcome, is_good) = match operation {
            Operation::Read(request) => {
                part = self.read(&request);
                let length = u16::try_from(part.len()).unwrap_or_default();
                (Outcome::Read(part_of(&request, length, &part)), request.module_id == MODULE_PIB)
            }
            Operation::Start(request) => {
                let is_good = self.begin_writing(&request);
                for spec in request.modules() {
                    specs.extend(spec.to_bytes());
                    specs.extend(if is_good { [0; 4] } else { [1, 0, 1, 0] });
                }
                (Outcome::Started(started(&request, &specs)), is_good)
            }
            Operation::Write(request) => {
                let length = self.write_part(&request);
                (Outcome::Written(written(&request, length)), length == request.length)
            }
            Operation::Commit(request) => {
                let is_good = self.commit(request.session_id);
                let resets = is_good && request.commit_code & CommitCode::NO_RESET.bits() == 0;
                *restarts = resets.then_some(Duration::ZERO);
                let outcome = SessionCommitted {
                    mod_op: request.mod_op,
                    mod_op_data_len: request.mod_op_data_len,
                    session_id: request.session_id,
                    commit_code: request.commit_code,
                    num_modules: Some(1),
                };
                (Outcome::Committed(outcome), is_good)
            }
            Operation::Other(..) => return Vec::new(),
        };
        let code = if is_good { 0 } else { REFUSED };
        write(
            &ModuleOperationCnf { mstatus: code, err_rec: code, ..ModuleOperationCnf::new(outcome) },
            to,
            mac,
        )
    }

    fn read(&self, request: &ReadModule) -> Vec<u8> {
        let from = usize::try_from(request.offset).unwrap_or(usize::MAX);
        let count = usize::from(request.length.min(MODULE_CHUNK));
        let bytes = if request.module_id == MODULE_PIB { self.image.bytes() } else { &[] };
        bytes.iter().skip(from).take(count).copied().collect()
    }

    fn begin_writing(&mut self, request: &StartSession<'_>) -> bool {
        let mut modules = request.modules();
        let module = modules.next().filter(|module| {
            module.module_id == MODULE_PIB && module.length > 0 && module.length <= LARGEST_IMAGE
        });
        let module = if modules.next().is_some() { None } else { module };
        self.writing = module.map(|module| Writing {
            session_id: request.session_id,
            module,
            bytes: vec![0; usize::try_from(module.length).unwrap_or_default()],
        });
        self.writing.is_some()
    }

    /// Writes a part and returns how many bytes were accepted.
    fn write_part(&mut self, request: &WriteModule<'_>) -> u16 {
        let is_meant = |writing: &&mut Writing| {
            writing.session_id == request.session_id && writing.module.module_id == request.module_id
        };
        let at = usize::try_from(request.offset).unwrap_or(usize::MAX);
        let place = self
            .writing
            .as_mut()
            .filter(is_meant)
            .and_then(|writing| writing.bytes.get_mut(at..)?.get_mut(..usize::from(request.length)));
        match place {
            Some(place) if request.data().len() == place.len() => {
                place.copy_from_slice(request.data());
                request.length
            }
            _ => 0,
        }
    }

    /// Stores what was written if it matches the announcement and is a valid image.
    fn commit(&mut self, session_id: u32) -> bool {
        let writing = self.writing.take().filter(|writing| writing.session_id == session_id);
        let announced = writing.filter(|writing| checksum32(&writing.bytes) == writing.module.checksum);
        match announced.and_then(|writing| Image::from_bytes(writing.bytes)) {
            Some(image) => {
                self.image = image;
                true
            }
            None => false,
        }
    }
}

fn part_of<'a>(request: &ReadModule, length: u16, data: &'a [u8]) -> ModulePart<'a> {
    ModulePart {
        mod_op: request.mod_op,
        mod_op_data_len: 18 + length,
        module_id: request.module_id,
        module_sub_id: request.module_sub_id,
        length,
        offset: request.offset,
        data: Slice(data),
    }
}

fn started<'a>(request: &StartSession<'_>, specs: &'a [u8]) -> SessionStarted<'a> {
    SessionStarted {
        mod_op: request.mod_op,
        mod_op_data_len: request.mod_op_data_len,
        session_id: request.session_id,
        num_modules: request.num_modules,
        modules: Slice(specs),
    }
}

fn written(request: &WriteModule<'_>, length: u16) -> ModuleWritten {
    ModuleWritten {
        mod_op: request.mod_op,
        mod_op_data_len: request.mod_op_data_len,
        session_id: request.session_id,
        module_index: request.module_index,
        module_id: request.module_id,
        module_sub_id: request.module_sub_id,
        length,
        offset: request.offset,
    }
}
