# The microcontroller targets and the compiler for them. Sourced by steps.
EMBEDDED_TARGETS="riscv32imafc-unknown-none-elf thumbv7em-none-eabihf"
DEBIAN_RUSTC=/usr/bin/rustc

has_rustup_targets() {
    local installed target
    installed=$(rustup target list --installed 2>/dev/null) || return 1
    for target in $EMBEDDED_TARGETS; do
        grep -qx "$target" <<<"$installed" || return 1
    done
}

# Runs a command that calls cargo for such a target: with rustup's targets as it is, otherwise so that Debian's
# compiler makes `core` from Debian's sources, and the linker is the one inside rustup's toolchain.
embedded() {
    local linker
    if has_rustup_targets; then
        "$@"
    else
        [ -x "$DEBIAN_RUSTC" ] || { echo "neither rustup's targets nor $DEBIAN_RUSTC: run '.ci/run tools'"; return 1; }
        linker=$(rustc --print target-libdir)/../bin/rust-lld
        RUSTC=$DEBIAN_RUSTC RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=core CARGO_TARGET_DIR="$TARGET/embedded" \
            CARGO_TARGET_RISCV32IMAFC_UNKNOWN_NONE_ELF_LINKER="$linker" \
            CARGO_TARGET_THUMBV7EM_NONE_EABIHF_LINKER="$linker" "$@"
    fi
}
