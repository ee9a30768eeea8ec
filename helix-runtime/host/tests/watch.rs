//! Sources that are edited while a host runs, by real builds.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use helix_host::{BuildFailure, Cancel, Host, Told, Watch};

const LAMP: &str = r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;
/// Shines.
#[helix_module(name = "lamp", flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct Lamp { lit: u32 }
#[helix_handlers]
impl Lamp {
    #[on_request]
    fn light(&mut self) -> String { self.lit += 1; format!("red {}", self.lit) }
    #[on_save(version = 1)]
    fn save(&self) -> u32 { self.lit }
    #[on_restore(version = 1)]
    fn restore(&mut self, lit: u32) { self.lit = lit; }
}
"#;

/// The next of that kind; what cargo says meanwhile is let pass.
#[track_caller]
fn next(told: &Receiver<Told>, what: &str, is_it: impl Fn(&Told) -> bool) -> Told {
    loop {
        let next = told.recv_timeout(Duration::from_secs(120)).unwrap_or_else(|_| panic!("{what} is not told"));
        if is_it(&next) {
            return next;
        }
        assert!(
            !matches!(next, Told::Reloaded { .. } | Told::Failed { .. } | Told::Refused { .. }),
            "{what}, not {next:?}"
        );
    }
}

#[test]
fn an_edit_is_live_and_a_mistake_is_survived() {
    let folder = support::folder("watch");
    let module = support::write_crate(&folder, "lamp", LAMP);
    let source = module.folder.join("src/lib.rs");
    let built = support::cargo().build(&module, &Cancel::default(), &mut |_| {}).unwrap();
    let host = Host::builder().libraries(&[built.path]).start().unwrap();
    let light = || host.runtime().call::<(), String>("lamp.light", ()).unwrap();
    assert_eq!(light(), "red 1");
    let ended = AtomicBool::new(false);
    let (tells, told) = channel();
    let (watches, watched) = channel();
    std::thread::scope(|scope| {
        let (host, ended) = (&host, &ended);
        scope.spawn(move || {
            let watch = Watch::new(support::cargo(), vec![module]);
            watch.run(host, ended, || watches.send(()).unwrap(), &mut |news| drop(tells.send(news))).unwrap();
        });
        watched.recv_timeout(Duration::from_secs(60)).unwrap();

        // An editor that writes a new file and renames it over the old one.
        let green = LAMP.replace("red", "green");
        fs::write(source.with_extension("tmp"), &green).unwrap();
        fs::rename(source.with_extension("tmp"), &source).unwrap();
        let Told::Reloaded { reloaded, after, .. } =
            next(&told, "a reload", |told| matches!(told, Told::Reloaded { .. }))
        else {
            unreachable!()
        };
        assert!(reloaded.changed && reloaded.steps[0].what == "build", "{reloaded:?}");
        assert!(after.as_secs_f64() >= reloaded.seconds, "the time is from the change on");
        assert_eq!(light(), "green 2");

        // What is only touched does not count; a mistake is told, and the old code serves on.
        fs::write(&source, &green).unwrap();
        fs::write(&source, green.replace("self.lit += 1;", "self.lot += 1;")).unwrap();
        let Told::Failed { failure, .. } = next(&told, "a failure", |told| matches!(told, Told::Failed { .. })) else {
            unreachable!()
        };
        let BuildFailure::Compiler { rendered, .. } = failure else { panic!("{failure}") };
        assert!(rendered.contains("no field `lot`"), "{rendered}");
        assert_eq!(light(), "green 3");

        // Sources that change again while they are built: the last of them is what answers.
        for color in ["blue", "pink", "gold"] {
            fs::write(&source, LAMP.replace("red", color)).unwrap();
            next(&told, "a change", |told| matches!(told, Told::Changed { .. }));
        }
        support::until("the last edit answers", || light().starts_with("gold"));
        ended.store(true, Ordering::Relaxed);
    });
    host.stop().unwrap();
}
