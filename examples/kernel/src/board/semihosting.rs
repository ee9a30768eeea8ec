//! How a machine that is being debugged asks its debugger, which QEMU plays: for the command line, and for its end. See
//! <https://github.com/ARM-software/abi-aa/blob/main/semihosting/semihosting.rst>.

use core::mem::MaybeUninit;

use semihosting::sys::arm_compat::sys_get_cmdline_uninit;

use crate::status::Status;

/// The words after the image's name.
pub fn command_line(buffer: &mut [u8]) -> &str {
    let mut line = [MaybeUninit::uninit(); 512];
    let Ok(line) = sys_get_cmdline_uninit(&mut line) else { return "" };
    let words = line.iter().position(|byte| *byte == b' ').map_or(&[][..], |at| &line[at + 1..]);
    let words = words.split(|byte| *byte == 0).next().unwrap_or_default();
    let Some(copy) = buffer.get_mut(..words.len()) else { return "" };
    copy.copy_from_slice(words);
    core::str::from_utf8(copy).unwrap_or("")
}

/// Ends the machine.
pub fn exit(status: Status) -> ! {
    ::semihosting::process::exit(status.code().into())
}
