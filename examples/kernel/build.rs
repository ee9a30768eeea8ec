//! Says how the image is linked, where there is no system that would load it.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=link");
    // Programs that are linked for their size: see `src/size.rs`.
    println!("cargo::rerun-if-env-changed=KERNEL_SIZE");
    println!(r#"cargo::rustc-check-cfg=cfg(sized, values(none(), "bare", "by-hand", "helix"))"#);
    if let Ok(way) = env::var("KERNEL_SIZE") {
        println!("cargo::rustc-cfg=sized\ncargo::rustc-cfg=sized={way:?}");
    }
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return;
    }
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/link");
    println!("cargo::rustc-link-search={scripts}");
    let arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let arguments: &[&str] = match arch.as_str() {
        "x86_64" => &["-Tx86_64.ld", "--no-pie"],
        // The second of them is the start-up crate's; that for Cortex-M asks for our `memory.x`.
        "riscv64" => &["-Triscv64.ld", "-Tlink.x"],
        "aarch64" => &["-Taarch64.ld", "-Timage.ld", "--no-pie"],
        "arm" => &["-Tlink.x"],
        other => {
            println!("cargo::error=no board has a {other} processor; there are x86_64, riscv64, aarch64 and thumbv7em");
            return;
        }
    };
    for argument in arguments {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}
