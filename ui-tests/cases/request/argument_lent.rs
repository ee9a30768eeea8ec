// References other than `&str` and `&[u8]`.
use helix_runtime::prelude::*;

#[helix_message]
pub struct Status {
    pub ticks: u64,
}

#[helix_module]
#[derive(Default)]
pub struct Timer;

#[helix_handlers]
impl Timer {
    #[on_request]
    fn lent(&self, _status: &Status) {}
    #[on_request]
    fn changed(&self, _status: &mut Status) {}
    #[on_request]
    fn inside(&self, _text: Option<&str>) {}
    #[on_request]
    fn text(&self, _text: &mut str) {}
    #[on_request]
    fn numbers(&self, _numbers: &[u64]) {}
}

fn main() {}
