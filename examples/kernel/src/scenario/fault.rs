//! A module that brings the kernel down, and is named.

use super::{Failure, no_case};
use crate::kernel::Kernel;
use crate::say;

pub fn play(kernel: Kernel, case: &str) -> Result<(), Failure> {
    let request = match case {
        "" => "fragile.panic",
        "stack" => "fragile.fault_stack",
        "null" => "fragile.fault_null",
        "code" => "fragile.fault_code",
        "data" => "fragile.fault_data",
        other => return Err(no_case("fault", other, "stack, null, code and data; `panic` has none")),
    };
    say!("{request} is called");
    kernel.runtime.call::<(), ()>(request, ())?;
    Err(Failure::new("the kernel lives on; boards other than x86_64 do not protect their memory"))
}
