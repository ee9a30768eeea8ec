//! State that outlives an instance, in the versions it has had.

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

#[helix_message]
pub struct QueueV1 {
    queue: Vec<u32>,
}

#[helix_message]
pub struct QueueV2 {
    queue: Vec<u32>,
    switches: u64,
}

#[helix_module(flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct Queue {
    queue: Vec<u32>,
    switches: u64,
}

#[helix_handlers]
impl Queue {
    #[on_save(version = 2)]
    fn save(&self) -> QueueV2 {
        QueueV2 { queue: self.queue.clone(), switches: self.switches }
    }
    #[on_restore(version = 2)]
    fn restore(&mut self, saved: QueueV2) -> Result<(), ModuleError> {
        (self.queue, self.switches) = (saved.queue, saved.switches);
        Ok(())
    }
    #[on_restore(version = 1)]
    fn restore_the_first(&mut self, QueueV1 { queue }: QueueV1, ctx: &Context) {
        assert_eq!(ctx.name(), "queue");
        self.queue = queue;
    }
    #[on_request]
    fn push(&mut self, task: u32) -> u64 {
        self.queue.push(task);
        self.switches += 1;
        self.queue.len() as u64
    }
}

#[helix_module]
#[derive(Default)]
pub struct Fallible;

#[helix_handlers]
impl Fallible {
    #[on_save(version = 1)]
    fn save(&mut self, ctx: &Context) -> Result<u8, ModuleError> {
        Err(ModuleError::new(format!("{} has nothing to save", ctx.name())))
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, _: u8) {}
}

#[test]
fn saved_state_comes_back() {
    let runtime = Runtime::builder().modules(modules![Queue, Fallible]).build().unwrap();
    runtime.start().unwrap();
    let push = || runtime.call::<(u32,), u64>("queue.push", (1,)).unwrap();
    push();
    let saved = runtime.save("queue").unwrap().unwrap();
    assert_eq!((saved.version, push(), push()), (2, 2, 3));
    let again = Runtime::builder().modules(modules![Queue, Fallible]).state(saved).build().unwrap();
    again.start().unwrap();
    assert_eq!(again.call::<(u32,), u64>("queue.push", (1,)).unwrap(), 2);
    assert_eq!(runtime.save("fallible").unwrap_err().to_string(), "fallible has nothing to save");
}
