//! How a machine that is being debugged asks its debugger, which QEMU plays: for the command line, and for its end. See
//! <https://github.com/ARM-software/abi-aa/blob/main/semihosting/semihosting.rst>.

use core::mem::MaybeUninit;

use semihosting::sys::arm_compat::sys_get_cmdline_uninit;

use crate::status::Status;

/// The words after the image's name.
pub fn command_line(buffer: &mut [u8]) -> Option<&str> {
    let mut line = [MaybeUninit::uninit(); 1024];
    let line = sys_get_cmdline_uninit(&mut line).ok()?;
    let line = line.split(|byte| *byte == 0).next()?;
    let words = line.iter().position(|byte| *byte == b' ').map_or(&[][..], |at| &line[at + 1..]);
    let copy = buffer.get_mut(..words.len())?;
    copy.copy_from_slice(words);
    core::str::from_utf8(copy).ok()
}

/// Ends the machine.
pub fn exit(status: Status) -> ! {
    ::semihosting::process::exit(status.code().into())
}
