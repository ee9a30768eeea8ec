//! A contract with every kind of method.

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

#[helix_message]
#[derive(Debug, Clone, PartialEq)]
pub struct Full {
    most: u32,
}

/// What keeps things.
#[helix_service("storage.box")]
pub trait Storage {
    /// How much there is.
    fn len(&self) -> u32;
    fn clear(&mut self);
    fn put(&mut self, name: &str, bytes: &[u8], count: u32) -> Result<u32, Full>;
    fn check(&self) -> Result<u32, ModuleError>;
    fn check_briefly(&self) -> ModuleResult<u32>;
    #[cfg(any())]
    fn never(&self, none: NoSuchType) -> NoSuchType;
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    fn name(&self, ctx: &Context) -> String;
    fn pair(&self, (a, b): (u8, u8), ctx: &Context) -> core::result::Result<u8, u8>
    where
        Self: Sized,
    {
        let _ = ctx;
        a.checked_add(b).ok_or(b)
    }
}

#[helix_module(provides = [Storage])]
#[derive(Default)]
pub struct Cellar {
    count: u32,
}

#[helix_handlers]
impl Cellar {}

impl Storage for Cellar {
    fn len(&self) -> u32 {
        self.count
    }
    fn clear(&mut self) {
        self.count = 0;
    }
    fn put(&mut self, name: &str, bytes: &[u8], count: u32) -> Result<u32, Full> {
        assert_eq!((name, bytes), ("wine", [1, 2].as_slice()));
        if count > 10 { Err(Full { most: 10 }) } else { Ok(core::mem::replace(&mut self.count, count)) }
    }
    fn check(&self) -> Result<u32, ModuleError> {
        Err("locked".into())
    }
    fn check_briefly(&self) -> ModuleResult<u32> {
        Ok(self.count)
    }
    fn name(&self, ctx: &Context) -> String {
        ctx.name().to_owned()
    }
}

#[test]
fn the_client_calls_each_method() {
    let runtime = Runtime::builder().modules(modules![Cellar]).build().unwrap();
    runtime.start().unwrap();
    let storage: StorageClient = runtime.service().unwrap();
    assert!(storage.is_empty().unwrap());
    assert_eq!(storage.put("wine", &[1, 2], 7), Ok(0));
    assert_eq!(storage.put("wine", &[1, 2], 11), Err(CallError::Handler(Full { most: 10 })));
    assert_eq!(storage.len().unwrap(), 7);
    assert_eq!(storage.check_briefly().unwrap(), 7);
    assert_eq!(storage.check().unwrap_err().to_string(), "cellar.check: locked");
    assert_eq!(storage.name().unwrap(), "cellar");
    assert_eq!(storage.pair((1, 2)), Ok(3));
    assert_eq!(storage.pair((255, 2)), Err(CallError::Handler(2)));
    storage.clear().unwrap();
    assert!(storage.is_empty().unwrap());
}
