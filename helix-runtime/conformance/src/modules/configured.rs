//! Reads values of all kinds.

use helix_runtime::prelude::*;

/// Has a key of every kind.
#[helix_module]
#[derive(Default)]
pub struct Configured {
    #[config(default = 10)]
    count: u8,
    #[config(default = "plain")]
    text: String,
    #[config]
    ratio: f64,
    #[config]
    maybe: Option<bool>,
}

#[helix_handlers]
impl Configured {
    #[on_request]
    fn shown(&self) -> String {
        format!("{} {} {} {:?}", self.count, self.text, self.ratio, self.maybe)
    }
    #[on_request]
    fn raw(&self, key: &str, ctx: &Context) -> String {
        format!("{:?} {}", ctx.config(key), ctx.config_or(key, "unset"))
    }
    #[on_request]
    fn number(&self, key: &str, ctx: &Context) -> Result<Option<u64>, ModuleError> {
        Ok(ctx.config_usize(key)?.map(|number| number as u64))
    }
    #[on_request]
    fn data_dir(&self, ctx: &Context) -> Option<String> {
        ctx.data_dir().map(str::to_owned)
    }
}
