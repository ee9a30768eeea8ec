//! How the kernel ends: each way has a status of its own, which the machine hands to whoever started it.

/// How the kernel ends. Success is not zero: a machine that falls over ends with that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Everything that the scenario promises was found.
    Success = 33,
    /// Something of it was not.
    Failed = 35,
    /// Code panicked.
    Panic = 37,
    /// Memory was asked for that is not there, by code that cannot do without.
    Memory = 39,
    /// The processor refused an instruction or an access.
    Fault = 41,
    /// Code asked for something that would never have come: a lock in an interrupt, or one that it holds itself.
    Hang = 43,
}

impl Status {
    /// What the machine ends with: an odd number, as QEMU's `isa-debug-exit` has no others.
    #[allow(dead_code, reason = "the kernel sends it, whoever boots it compares it")]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The status of that code.
    #[allow(dead_code, reason = "as above")]
    pub fn of(code: i32) -> Option<Self> {
        let all = [Self::Success, Self::Failed, Self::Panic, Self::Memory, Self::Fault, Self::Hang];
        all.into_iter().find(|status| i32::from(status.code()) == code)
    }
}
