//! What a process can say that is not to be trusted: nothing of it harms the host.
#![allow(missing_docs)]

use std::sync::{Arc, Mutex, Weak};

use helix_runtime::boundary::{self, Asks, Export, Near, Process, Spawn, Turn};
use helix_runtime::prelude::*;
use helix_runtime::{Descriptor, Module, Runtime};

/// Answers.
#[helix_module(name = "answer")]
#[derive(Default)]
pub struct Answer;

#[helix_handlers]
impl Answer {
    #[on_request]
    fn number(&self) -> u64 {
        7
    }

    #[on_request("raw", raw)]
    fn raw(&self, request: &Request) -> Result<Response, ModuleError> {
        Ok(Response::ok(request.payload.clone()))
    }
}

/// What its "process" says to all that is wanted of it after it was made.
#[derive(Debug, Default)]
struct Liar {
    says: Mutex<Vec<Vec<u8>>>,
    answers: Mutex<Vec<Vec<u8>>>,
}

#[derive(Debug)]
struct Lies(Arc<Liar>);

impl Spawn for Lies {
    fn spawn(&self, _: Weak<dyn Asks>) -> Result<Arc<dyn Process>, ModuleError> {
        Ok(self.0.clone())
    }
}

const DONE: [u8; 4] = [0, 0, 0, 0];

impl Process for Liar {
    fn converse(&self, _: &[u8], said: &mut dyn FnMut(&[u8], &mut Vec<u8>) -> Turn) -> Result<(), ModuleError> {
        let garbage = || Err(ModuleError::Crashed { module: "answer".into(), cause: "garbage".into() });
        for message in std::mem::take(&mut *self.says.lock().unwrap()) {
            let mut answer = Vec::new();
            match said(&message, &mut answer) {
                Turn::Answer => self.answers.lock().unwrap().push(answer),
                Turn::End => return Ok(()),
                Turn::Garbage => return garbage(),
            }
        }
        match said(&DONE, &mut Vec::new()) {
            Turn::End => Ok(()),
            _ => garbage(),
        }
    }
}

fn adopted() -> &'static Descriptor {
    let export = Box::leak(Box::new(Export::of(Answer::DESCRIPTOR)));
    // SAFETY: it is of this program, and stays.
    unsafe { export.adopt() }
}

fn table() -> Vec<u8> {
    Near::new(adopted(), Box::new(|_| None)).table()
}

/// A runtime whose module lies; what it is to say comes when it runs.
fn start() -> (Runtime, Arc<Liar>) {
    let liar = Arc::new(Liar::default());
    let descriptor = boundary::descriptor(adopted().info, &table(), Arc::new(Lies(liar.clone()))).unwrap();
    let runtime = Runtime::builder().add_descriptor(descriptor).build().unwrap();
    runtime.start().unwrap();
    (runtime, liar)
}

fn number(runtime: &Runtime) -> Result<u64, String> {
    runtime.call::<(), u64>("answer.number", ()).map_err(|error| error.to_string())
}

#[test]
fn replies_and_errors_that_are_none_are_told() {
    // An error inside an error, and so on.
    let inner = |error| ModuleError::Ipc(IpcError::Failed { module: String::new(), request: String::new(), error });
    let level = postcard::to_allocvec(&inner(Box::new(ModuleError::new("")))).unwrap();
    let nested = [&level[..4].repeat(300_000)[..], &level[4..]].concat();
    let shallow = [&level[..4].repeat(20)[..], &level[4..]].concat();
    let length = |bytes: usize| {
        let (mut rest, mut length) = (bytes, Vec::new());
        while rest >= 0x80 {
            length.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        length.push(rest as u8);
        length
    };
    let failed = |error: &[u8]| [&[0, 3, 0][..], &length(error.len()), error].concat();
    for (says, expected) in [
        (vec![], "garbage"),
        (vec![200], "garbage"),
        (vec![0, 0, 0], "garbage"),
        (vec![0, 0, 0, 0, 0], "garbage"),
        (vec![0, 99, 0, 0], "garbage"),
        (vec![0, 0, 0, 0], "reply"),
        (vec![0, 0, 200, 1], "garbage"),
        (failed(b"nonsense"), "an error was told that cannot be read"),
        (failed(&nested), "an error was told that cannot be read"),
        (failed(&shallow), "answer.number: .: .: ."),
    ] {
        let (runtime, liar) = start();
        liar.says.lock().unwrap().push(says.clone());
        let found = number(&runtime).unwrap_err();
        assert!(found.contains(expected), "{:?}: {found}", &says[..says.len().min(8)]);
    }
}

#[test]
fn a_response_that_is_none_is_told() {
    let (runtime, liar) = start();
    liar.says.lock().unwrap().push(vec![0, 0, 1, 99, 0]);
    let found = runtime.request("answer", Request::new("raw")).unwrap_err().to_string();
    assert!(found.contains("found a response that is none"), "{found}");
}

#[test]
fn numbers_that_it_was_not_given_lead_nowhere() {
    let (runtime, liar) = start();
    // A call along the first route of all, a subscription's end, and whether types agree.
    let call = vec![7, 0, 6, b'n', b'u', b'm', b'b', b'e', b'r', 0, 0];
    let unsubscribe = vec![4, 0];
    liar.says.lock().unwrap().extend([call, unsubscribe]);
    let _ = number(&runtime);
    let answers = std::mem::take(&mut *liar.answers.lock().unwrap());
    assert_eq!(answers.len(), 2);
    assert!(answers.iter().all(|answer| answer[0] == 6), "each is refused: {answers:?}");
}

#[test]
fn a_table_that_is_none_is_refused() {
    let build = |table: &[u8]| {
        let spawn = Arc::new(Lies(Arc::default()));
        boundary::descriptor(adopted().info, table, spawn).map(drop).map_err(|fault| fault.to_string())
    };
    let good = table();
    assert_eq!(build(&good), Ok(()));
    for cut in 0..good.len() {
        let fault = build(&good[..cut]).unwrap_err();
        assert!(fault.starts_with("the table of handlers of `answer`: found"), "{fault}");
    }
    // One handler that saves an option of an option of an option, and so on.
    let save = |schema: &[u8]| [&[0, 1, 0, 3, 1][..], schema, &[1]].concat();
    let deep = [&[0, 18].repeat(1_000_000)[..], &[0, 0]].concat();
    assert!(build(&save(&deep)).is_err());
    assert_eq!(build(&save(&[&[0, 18].repeat(30)[..], &[0, 0]].concat())), Ok(()));
    // A sequence of nothings.
    let fault = build(&save(&[0, 22, 0, 19])).unwrap_err();
    assert!(fault.contains("a sequence of values that take no bytes"), "{fault}");
    // More handlers than there can be, and more of its own than there are.
    let many = [&[0, 172, 2][..], &[0, 0, 0].repeat(300), &[0]].concat();
    assert!(build(&many).unwrap_err().contains("found 300 handlers, expected 256 at most"));
}
