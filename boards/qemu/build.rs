//! Names the linker script of the target.

fn main() {
    let arch = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let script = if arch == "riscv32" { "riscv/virt.ld" } else { "arm/mps2.ld" };
    println!("cargo:rustc-link-arg-bins=-T{folder}/src/{script}");
    println!("cargo:rerun-if-changed=src/{script}");
}
