//! Names the linker script of the machine.

fn main() {
    let of = |name| std::env::var(name).unwrap_or_default();
    let machine = if of("CARGO_CFG_TARGET_ARCH") == "arm" { "arm" } else { "riscv" };
    let folder = format!("{}/src", of("CARGO_MANIFEST_DIR"));
    println!("cargo:rustc-link-arg-bins=-L{folder}");
    println!("cargo:rustc-link-arg-bins=-T{folder}/{machine}/memory.ld");
    println!("cargo:rerun-if-changed=src/{machine}/memory.ld");
    println!("cargo:rerun-if-changed=src/sections.ld");
}
