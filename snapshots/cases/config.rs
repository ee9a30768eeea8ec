//! Config fields: with a default, with one in text, required, optional, under a `cfg`.

use helix_runtime::prelude::*;
use helix_runtime::{ConfigMap, Module, Runtime, modules};

const STEP: i32 = -2;

#[helix_module]
#[derive(Default)]
pub struct Settings {
    /// How long a task runs,
    /// in milliseconds.
    #[config(default = 10)]
    slice_ms: u64,
    #[config(default = STEP * 2)]
    step: i32,
    #[config(default = "plain")]
    label: String,
    #[config]
    size: u32,
    #[config]
    limit: Option<u8>,
    #[cfg(any())]
    #[config]
    gone: NoSuchType,
    #[cfg(not(any()))]
    #[config(default = true)]
    kept: bool,
    #[cfg_attr(any(), config)]
    plain: u8,
    #[cfg_attr(not(any()), config(default = 'x'), doc = "A letter.")]
    letter: char,
    #[cfg_attr(not(any()), config(default = 1))]
    #[cfg_attr(any(), config(default = "one"))]
    either: u8,
    #[allow(dead_code)]
    untouched: [u8; 2],
}

#[helix_handlers]
impl Settings {
    #[on_request]
    fn all(&self) -> String {
        let Self { slice_ms, step, label, size, limit, kept, plain, letter, either, .. } = self;
        format!("{slice_ms} {step} {label} {size} {limit:?} {kept} {plain} {letter}{either}")
    }
}

#[test]
fn fields_are_set_from_the_configuration() {
    let all = |pairs: &[(&str, &str)]| {
        let config: ConfigMap = pairs.iter().copied().collect();
        let runtime = Runtime::builder().config(config).modules(modules![Settings]).build().unwrap();
        runtime.start().map(|()| runtime.call::<(), String>("settings.all", ()).unwrap())
    };
    assert_eq!(all(&[("settings.size", "4")]).unwrap(), "10 -4 plain 4 None true 0 x1");
    let set = [("settings.size", "4"), ("settings.slice_ms", "5"), ("settings.label", "new"), ("settings.limit", "9")];
    assert_eq!(all(&set).unwrap(), "5 -4 new 4 Some(9) true 0 x1");
    assert!(all(&[]).unwrap_err().to_string().contains("size"));

    let keys: Vec<String> = Settings::DESCRIPTOR.config().map(ToString::to_string).collect();
    assert_eq!(
        keys,
        [
            "slice_ms: u64 = 10",
            "step: i32 = STEP * 2",
            "label: String = plain",
            "size: u32",
            "limit: Option<u8>",
            "kept: bool = true",
            "letter: char = 'x'",
            "either: u8 = 1",
        ]
    );
}
