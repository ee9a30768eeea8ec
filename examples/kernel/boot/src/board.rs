//! The boards, and what each needs to be built and booted.

use std::path::Path;
use std::process::Command;

use clap::ValueEnum;

use crate::machine::Time;
use crate::{BootError, image};

/// A machine that the kernel boots on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Board {
    /// A PC: PVH, PIC, PIT, 16550
    #[value(name = "x86_64")]
    X86_64,
    /// RISC-V `virt`: CLINT, PLIC, 16550
    Riscv64,
    /// ARM `virt`, 64 bits: GICv2, generic timer, PL011
    Aarch64,
    /// mps2-an386, a Cortex-M4: 32 bits, no 64-bit atomics
    CortexM,
    /// A process, whose interrupts are signals
    Hosted,
}

impl Board {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::X86_64, Self::Riscv64, Self::Aarch64, Self::CortexM, Self::Hosted];

    /// What it is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Riscv64 => "riscv64",
            Self::Aarch64 => "aarch64",
            Self::CortexM => "cortex-m",
            Self::Hosted => "hosted",
        }
    }

    /// What has to be installed before the kernel can be built for this board and booted on it, if anything.
    pub fn missing(self) -> Option<BootError> {
        if let Some((emulator, install)) = self.emulator()
            && self.emulator_version().is_none()
        {
            return Some(BootError::Missing { what: emulator.into(), install });
        }
        let (target, install) = self.target()?;
        (!image::has_target(target))
            .then(|| BootError::Missing { what: format!("the target {target} of Rust's"), install })
    }

    /// What the emulator says of itself, if it is there.
    pub fn emulator_version(self) -> Option<String> {
        let output = Command::new(self.emulator()?.0).arg("--version").output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        output.status.success().then(|| text.lines().next().unwrap_or_default().to_string())
    }

    /// The target that its image is built for, and the command that installs it; none for a process.
    pub(crate) fn target(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::X86_64 => ("x86_64-unknown-none", "rustup target add x86_64-unknown-none"),
            Self::Riscv64 => ("riscv64gc-unknown-none-elf", "rustup target add riscv64gc-unknown-none-elf"),
            Self::Aarch64 => ("aarch64-unknown-none-softfloat", "rustup target add aarch64-unknown-none-softfloat"),
            Self::CortexM => ("thumbv7em-none-eabihf", "rustup target add thumbv7em-none-eabihf"),
            Self::Hosted => return None,
        })
    }

    /// The program that is the machine, and the command that installs it; none for a process.
    fn emulator(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::X86_64 => ("qemu-system-x86_64", "sudo apt-get install qemu-system-x86"),
            Self::Riscv64 => ("qemu-system-riscv64", "sudo apt-get install qemu-system-misc"),
            Self::Aarch64 => ("qemu-system-aarch64", "sudo apt-get install qemu-system-arm"),
            Self::CortexM => ("qemu-system-arm", "sudo apt-get install qemu-system-arm"),
            Self::Hosted => return None,
        })
    }

    /// The command that boots an image.
    pub(crate) fn command(self, image: &Path, command_line: &str, time: Time) -> Command {
        let Some((emulator, _)) = self.emulator() else {
            let mut command = Command::new(image);
            command.args(command_line.split_whitespace());
            return command;
        };
        let mut command = Command::new(emulator);
        command.args(match self {
            Self::X86_64 => {
                &["-machine", "pc", "-accel", "tcg", "-m", "64M", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"][..]
            }
            Self::Riscv64 => &["-machine", "virt", "-m", "64M", "-bios", "none"],
            Self::Aarch64 => &["-machine", "virt", "-cpu", "cortex-a53", "-m", "64M"],
            Self::CortexM | Self::Hosted => &["-machine", "mps2-an386"],
        });
        let mut words: Vec<&str> = command_line.split_whitespace().collect();
        if time == Time::Counted {
            command.args(["-icount", "shift=4,sleep=off"]);
            // The kernel cannot find out by itself what its clock means.
            words.push("counted");
        }
        if self == Self::X86_64 {
            command.args(["-append", &words.join(" ")]);
        } else {
            // Word by word, and the first is a name: else QEMU puts the image's path there, of any length and with any
            // blanks. A comma is doubled, as it separates options.
            let words = words.iter().map(|word| format!(",arg={}", word.replace(',', ",,")));
            let words: String = words.collect();
            command.args(["-semihosting-config", &format!("enable=on,target=native,arg=kernel{words}")]);
        }
        command.args(["-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot", "-nodefaults"]);
        command.arg("-kernel").arg(image);
        command
    }
}
