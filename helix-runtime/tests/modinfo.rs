//! The record: what it says, and that no damage to it goes unseen.
#![allow(missing_docs, clippy::result_unit_err)]

use helix_runtime::modinfo::{self, Record, RecordError};
use helix_runtime::prelude::*;
use helix_runtime::{AbiTag, Module};
use proptest::prelude::*;

#[helix_message]
pub enum Shape {
    Point,
    Circle(f64),
    Box { width: u32, height: u32 },
    Line(i8, i8),
}

#[helix_service("drawing")]
pub trait Drawing {
    /// Draws it.
    fn draw(&mut self, shape: Shape) -> Result<bool, ()>;
}

/// Draws on a "canvas".
///
/// Slowly.
#[helix_module(
    name = "core/canvas",
    version = "1.2.3-rc.1",
    author = "A\0B",
    license = "MIT",
    kind = core,
    flags = DRIVER | HOT_RELOADABLE,
    provides = ["surface", Drawing],
    dependencies("timer" = "^1", "gpu" = { version = ">=2", features = ["shaders", "mesh"], optional = true }),
    features = ["alpha"],
    permissions = ["gpu.use"],
)]
#[derive(Default)]
pub struct Canvas {
    /// How wide.
    #[config(default = 1 << 4)]
    width: u32,
    #[config]
    title: Option<String>,
}

#[helix_handlers]
impl Canvas {
    #[on_event(Tick)]
    fn tick(&self) {}
    #[on_event("net.packet")]
    fn packet(&self) {}
    #[on_event(Event)]
    fn all(&self) {}
    /// Wipes it.
    #[on_request("clear", permission = "canvas.clear")]
    fn clear(&mut self, r#type: u8, why: &str) -> Option<Vec<u8>> {
        Some(vec![r#type; why.len()])
    }
    #[on_request(raw)]
    fn legacy(&self, request: &Request) -> Result<Response, ModuleError> {
        Ok(Response::ok(request.payload.clone()))
    }
    #[on_save(version = 2)]
    fn save(&self) -> (u32, u32) {
        (self.width, self.title.as_ref().map_or(0, |title| title.len() as u32))
    }
    #[on_restore(version = 2)]
    fn restore(&mut self, state: (u32, u32)) {
        self.width = state.0;
    }
    #[on_restore(version = 1)]
    fn restore_v1(&mut self, width: u32) {
        self.width = width;
    }
}

impl Drawing for Canvas {
    fn draw(&mut self, _: Shape) -> Result<bool, ()> {
        Ok(true)
    }
}

const LEN: usize = helix_runtime::glue::record_len(Canvas::DESCRIPTOR);
static RECORD: [u8; LEN] = helix_runtime::glue::record(Canvas::DESCRIPTOR);

#[test]
fn the_record_says_everything_and_is_the_same_in_const() {
    assert_eq!(RECORD.as_slice(), modinfo::write(Canvas::DESCRIPTOR));
    let record = Record::read(&RECORD).next().unwrap().unwrap();
    let layout = format!("{:016x}", AbiTag::THIS.layout);
    let expected = [
        ("name", "core/canvas"),
        ("version", "1.2.3-rc.1"),
        ("description", "Draws on a \"canvas\"."),
        ("author", "A B"),
        ("license", "MIT"),
        ("kind", "core"),
        ("flags", "HOT_RELOADABLE | DRIVER"),
        ("abi.target", AbiTag::THIS.target),
        ("abi.rustc", AbiTag::THIS.rustc),
        ("abi.panic", "unwind"),
        ("abi.runtime", AbiTag::THIS.runtime),
        ("abi.layout", &layout),
        ("provides", "drawing"),
        ("provides", "surface"),
        ("depends", "timer ^1"),
        ("depends", "gpu >=2 [shaders,mesh] optional"),
        ("feature", "alpha"),
        ("permission", "gpu.use"),
        ("topic", "tick"),
        ("topic", "net.packet"),
        ("topic", "*"),
        ("request", "clear(type:u8,why:str)->?[u8]"),
        ("needs", "clear canvas.clear"),
        ("doc", "clear Wipes it."),
        ("request", "legacy(raw)"),
        ("state", "2 (u32,u32)"),
        ("restores", "2 (u32,u32)"),
        ("restores", "1 u32"),
        (
            "request",
            "draw(shape:Shape<Point|Circle(f64)|Box{width:u32,height:u32}|Line(i8,i8)>)->Result<Ok(bool)|Err(())>",
        ),
        ("doc", "draw Draws it."),
        ("config", "width: u32 = 1 << 4"),
        ("config", "title: Option<String>"),
    ];
    let fields = || record.fields().filter(|(key, _)| *key != "abi.type");
    assert_eq!(fields().collect::<Vec<_>>(), expected);
    let types: Vec<String> = AbiTag::TYPES.iter().map(|(name, hash)| format!("{name} {hash:016x}")).collect();
    assert_eq!(record.all("abi.type").collect::<Vec<_>>(), types);
}

#[test]
fn records_that_follow_each_other_are_all_read() {
    let section = [&RECORD[..], &[0; 5], &RECORD[..], &[0; 3]].concat();
    let names: Vec<_> = Record::read(&section).map(|record| record.unwrap().get("name").unwrap().to_owned()).collect();
    assert_eq!(names, ["core/canvas", "core/canvas"]);
}

#[test]
fn where_one_module_is_meant_two_are_refused_by_name() {
    assert!(Record::read_single(&RECORD).is_ok());
    assert_eq!(Record::read_single(&[0; 8]), Err(RecordError::Missing));
    let both = [RECORD, RECORD].concat();
    assert_eq!(
        Record::read_single(&both).unwrap_err().to_string(),
        "found two modules, `core/canvas` and `core/canvas`, expected one: export one crate, and link the other plainly"
    );
}

fn error(section: &[u8]) -> RecordError {
    Record::read(section).find_map(Result::err).expect("an error")
}

#[test]
fn every_cut_and_every_flipped_byte_is_refused() {
    let step = if cfg!(miri) { 97 } else { 1 };
    for end in (1..RECORD.len()).step_by(step) {
        assert!(!error(&RECORD[..end]).to_string().is_empty(), "cut at {end}");
    }
    for at in (0..RECORD.len()).step_by(step) {
        let mut record = RECORD;
        record[at] ^= 0x20;
        if at < 64 && RECORD[at] == 0 {
            continue; // The header's padding says nothing.
        }
        assert!(!error(&record).to_string().is_empty(), "flipped at {at}");
    }
}

#[test]
fn an_error_says_what_was_found_and_expected() {
    assert_eq!(
        error(b"\0\0garbage").to_string(),
        "at byte 2: found \"garbage\", expected a record, which begins with \"helix-modinfo 2 \""
    );
    assert_eq!(
        error(&RECORD[..70]).to_string(),
        format!("at byte 0: the record is cut off: found 70 bytes, expected {LEN}")
    );
    let mut record = RECORD;
    record[LEN - 2] ^= 1;
    assert!(error(&record).to_string().starts_with("at byte 0: the record is damaged: its checksum is "));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 5 } else { 2_000 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), begins in any::<bool>()) {
        if begins {
            bytes.splice(0..0, b"helix-modinfo 2 ".iter().copied());
        }
        prop_assert!(Record::read(&bytes).count() <= bytes.len());
    }
}
