//! Requests with typed arguments and replies.

use helix_runtime::prelude::*;
use helix_runtime::{IpcError, Module, Runtime, modules};

#[helix_message]
#[derive(Debug, Clone, PartialEq)]
pub struct TooMuch {
    most: u32,
}

#[helix_module]
#[derive(Default)]
pub struct Counter {
    count: u32,
}

#[helix_handlers]
impl Counter {
    #[on_request]
    fn count(&self) -> u32 {
        self.count
    }
    /// Adds to the count.
    ///
    /// Not part of the summary.
    #[on_request("add", permission = "count.add")]
    fn add_to_count(&mut self, by: u32, times: u32) -> u32 {
        self.count += by * times;
        self.count
    }
    #[on_request(permission = "count.reset")]
    fn reset(&mut self) {
        self.count = 0;
    }
    #[on_request]
    fn below(&self, most: u32) -> Result<u32, TooMuch> {
        if self.count <= most { Ok(self.count) } else { Err(TooMuch { most }) }
    }
    #[on_request]
    fn refuse(&self, ctx: &Context) -> Result<u32, ModuleError> {
        Err(ModuleError::new(format!("{} will not", ctx.name())))
    }
    #[on_request]
    fn sum(&self, (a, b): (u8, u8), mut list: Vec<u8>, _ctx: &Context) -> u8 {
        list.extend([a, b]);
        list.iter().sum()
    }
}

#[test]
fn requests_are_called_by_name() {
    let runtime = Runtime::builder().modules(modules![Counter]).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.call::<(u32, u32), u32>("counter.add", (5, 2)).unwrap(), 10);
    assert_eq!(runtime.call::<(), u32>("counter.count", ()).unwrap(), 10);
    let below = |most: u32| runtime.call::<(u32,), Result<u32, TooMuch>>("counter.below", (most,)).unwrap();
    assert_eq!((below(10), below(9)), (Ok(10), Err(TooMuch { most: 9 })));
    let refused = runtime.call::<(), u32>("counter.refuse", ()).unwrap_err();
    assert!(matches!(&refused, IpcError::Failed { .. }), "{refused}");
    assert_eq!(refused.to_string(), "counter.refuse: counter will not");
    assert_eq!(runtime.call::<((u8, u8), Vec<u8>), u8>("counter.sum", ((1, 2), vec![3])).unwrap(), 6);
    runtime.call::<(), ()>("counter.reset", ()).unwrap();
    assert_eq!(runtime.call::<(), u32>("counter.count", ()).unwrap(), 0);

    let add = Counter::DESCRIPTOR.requests().find(|request| request.name == "add").unwrap();
    assert_eq!(
        (add.params, add.doc, add.permission),
        (["by", "times"].as_slice(), "Adds to the count.", Some("count.add"))
    );
}
