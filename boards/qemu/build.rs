//! Names the linker script.

fn main() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo:rustc-link-arg-bins=-T{folder}/src/riscv/virt.ld");
    println!("cargo:rerun-if-changed=src/riscv/virt.ld");
}
