//! A module that brings the kernel down, and is named.

use super::Failure;
use crate::kernel::Kernel;
use crate::say;

pub fn play(kernel: Kernel, case: &str) -> Result<(), Failure> {
    let request = match case {
        "" => "fragile.panic",
        "stack" => "fragile.fault_stack",
        "null" => "fragile.fault_null",
        "code" => "fragile.fault_code",
        "constant" => "fragile.fault_constant",
        "data" => "fragile.fault_data",
        "run-stack" => "fragile.fault_run_stack",
        _ => "fragile.fault_run_heap",
    };
    say!("{request} is called");
    kernel.runtime.call::<(), ()>(request, ())?;
    Err(Failure::new("the kernel lives on; boards other than x86_64 do not protect their memory"))
}
