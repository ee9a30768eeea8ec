//! Any messages as what a process says in a conversation: answered, refused or the end of it; never a panic of the host's.
#![no_main]

use std::sync::{Arc, LazyLock, Mutex, Weak};

use helix_runtime::boundary::{self, Asks, Export, Near, Process, Spawn, Turn};
use helix_runtime::prelude::*;
use helix_runtime::{Descriptor, Module, Runtime};
use libfuzzer_sys::fuzz_target;

/// Answers.
#[helix_module(name = "answer")]
#[derive(Default)]
pub struct Answer;

#[helix_handlers]
impl Answer {
    #[on_request]
    fn number(&self, text: String) -> Option<u64> {
        text.parse().ok()
    }

    #[on_request("raw", raw)]
    fn raw(&self, request: &Request) -> Result<Response, ModuleError> {
        Ok(Response::ok(request.payload.clone()))
    }

    #[on_event(Tick)]
    fn tick(&self) {}

    #[on_save(version = 1)]
    fn save(&self) -> u64 {
        1
    }

    #[on_restore(version = 1)]
    fn restore(&mut self, _: u64) {}
}

/// Says what it is told to, then that it is done.
#[derive(Debug, Default)]
struct Liar(Mutex<Vec<u8>>);

#[derive(Debug)]
struct Lies(Arc<Liar>);

impl Spawn for Lies {
    fn spawn(&self, _: Weak<dyn Asks>) -> Result<Arc<dyn Process>, ModuleError> {
        Ok(self.0.clone())
    }
}

impl Process for Liar {
    fn converse(&self, _: &[u8], said: &mut dyn FnMut(&[u8], &mut Vec<u8>) -> Turn) -> Result<(), ModuleError> {
        let all = std::mem::take(&mut *self.0.lock().unwrap());
        let mut rest = &all[..];
        while let [length, more @ ..] = rest {
            let (message, later) = more.split_at(usize::from(*length).min(more.len()));
            rest = later;
            let mut answer = Vec::new();
            match said(message, &mut answer) {
                Turn::Answer => assert!(!answer.is_empty()),
                Turn::End => return Ok(()),
                Turn::Garbage => break,
            }
        }
        match said(&[0, 0, 0, 0], &mut Vec::new()) {
            Turn::End => Ok(()),
            _ => unreachable!("that is how a conversation ends"),
        }
    }
}

/// What is made once, and stays.
struct Made {
    _export: &'static Export,
    _adopted: &'static Descriptor,
    descriptor: &'static Descriptor,
    liar: Arc<Liar>,
}

static MADE: LazyLock<Made> = LazyLock::new(|| {
    let export = Box::leak(Box::new(Export::of(Answer::DESCRIPTOR)));
    // SAFETY: it is of this program, and stays.
    let adopted = unsafe { export.adopt() };
    let table = Near::new(adopted, Box::new(|_| None)).table();
    let liar = Arc::new(Liar::default());
    let descriptor = boundary::descriptor(adopted.info, &table, Arc::new(Lies(liar.clone()))).unwrap();
    Made { _export: export, _adopted: adopted, descriptor, liar }
});

fuzz_target!(|bytes: &[u8]| {
    let Made { descriptor, liar, .. } = &*MADE;
    let runtime = Runtime::builder().add_descriptor(descriptor).build().unwrap();
    runtime.start().unwrap();
    let [what, says @ ..] = bytes else { return };
    *liar.0.lock().unwrap() = says.to_vec();
    match what % 4 {
        0 => drop(runtime.call::<(&str,), Option<u64>>("answer.number", ("7",))),
        1 => drop(runtime.request("answer", Request::new("raw").with_payload(vec![1, 2]))),
        2 => drop(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 0 })),
        _ => drop(runtime.save("answer")),
    }
    liar.0.lock().unwrap().clear();
});
