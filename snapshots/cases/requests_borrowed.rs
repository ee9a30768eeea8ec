//! Arguments that are lent.

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

#[helix_module]
#[derive(Default)]
pub struct Lender {
    last: String,
}

#[helix_handlers]
impl Lender {
    #[on_request]
    fn length(&self, text: &str, bytes: &[u8]) -> u64 {
        (text.len() + bytes.len()) as u64
    }
    #[on_request]
    fn swap(&mut self, text: &str, times: u32, ctx: &Context) -> Result<String, ModuleError> {
        assert_eq!(ctx.name(), "lender");
        Ok(core::mem::replace(&mut self.last, text.repeat(times as usize)))
    }
}

#[test]
fn lent_arguments_are_not_copied_by_the_caller() {
    let runtime = Runtime::builder().modules(modules![Lender]).build().unwrap();
    runtime.start().unwrap();
    let text = String::from("abc");
    assert_eq!(runtime.call::<(&str, &[u8]), u64>("lender.length", (&text, &[1, 2])).unwrap(), 5);
    runtime.call::<(&str, u32), String>("lender.swap", (&text, 2)).unwrap();
    assert_eq!(runtime.call::<(&str, u32), String>("lender.swap", ("", 0)).unwrap(), "abcabc");
}
