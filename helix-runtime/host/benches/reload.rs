//! What a reload costs, and what a call into a library: `cargo bench -p helix-host`, `-- --write` for `RESULTS.md` too.
#![cfg(target_os = "linux")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use helix_host::{Cancel, Cargo, Directory, Host, Loader, ModuleCrate, Told, Watch};
use helix_runtime::{Replacement, Runtime, modules};

const BLOB: &str = r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;
/// Has a state of any size.
#[helix_module(name = "blob", flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct Blob { bytes: Vec<u8> }
static BUILD: &str = "build number 00000000";
#[helix_handlers]
impl Blob {
    #[on_request]
    fn grow(&mut self, to: u64) { self.bytes.resize(to as usize, 7); }
    #[on_request]
    fn build(&self) -> String { core::hint::black_box(BUILD).into() }
    #[on_save(version = VERSION)]
    fn save(&self) -> Vec<u8> { self.bytes.clone() }
    #[on_restore(version = 1)]
    fn restore(&mut self, bytes: Vec<u8>) { self.bytes = bytes; }
    #[on_restore(version = 2)]
    fn restore2(&mut self, bytes: Vec<u8>) { self.bytes = bytes; }
}
"#;

const ANSWER: &str = r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;
/// Answers.
#[helix_module(name = "answer", flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Answer;
#[helix_handlers]
impl Answer {
    #[on_request]
    fn nothing(&self) {}
    #[on_request]
    fn number(&self) -> u64 { 0 }
    #[on_event(Tick)]
    fn tick(&self, tick: &Tick) { core::hint::black_box(tick.tick_number); }
}
"#;

/// The same, linked to this program.
mod linked {
    use helix_runtime::prelude::*;

    /// Answers.
    #[helix_module(name = "answer", flags = HOT_RELOADABLE, stateless)]
    #[derive(Default)]
    pub struct Answer;

    #[helix_handlers]
    impl Answer {
        #[on_request]
        fn nothing(&self) {}
        #[on_request]
        fn number(&self) -> u64 {
            0
        }
        #[on_event(Tick)]
        fn tick(&self, tick: &Tick) {
            core::hint::black_box(tick.tick_number);
        }
    }
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn main() {
    // `cargo bench` says so to every benchmark.
    let write = std::env::args().any(|arg| arg == "--write");
    let folder = support::folder("bench");
    let release = Cargo { release: true, ..support::cargo() };
    let build = |name: &str, source: &str| {
        let built = release.build(&support::write_crate(&folder, name, source), &Cancel::default(), &mut |_| {});
        fs::read(built.unwrap_or_else(|error| panic!("{error}: {error:?}")).path).unwrap()
    };
    let mut text = String::from(
        "# What a reload costs\n\nWritten by `cargo bench -p helix-host --bench reload -- --write`; medians, times in microseconds unless \
         another unit is said. The machine is shared: trust the ratios.\n",
    );
    replaces(&folder, &build, &mut text);
    calls(&folder, &build, &mut text);
    discovery(&folder, &build, &mut text);
    edits(&folder, &mut text);
    println!("{text}");
    if write {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("RESULTS.md"), text).unwrap();
    }
}

fn replaces(folder: &Path, build: &dyn Fn(&str, &str) -> Vec<u8>, text: &mut String) {
    let loader = Loader::new().unwrap();
    let load = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        loader.load(&path).unwrap().descriptor
    };
    let first = build("blob", &BLOB.replace("VERSION", "1"));
    let again = support::patched(&first, b"build number 00000000", b"build number 00000001");
    let second = build("blob", &BLOB.replace("VERSION", "2"));
    let (first, again, second) = (load("first.so", &first), load("again.so", &again), load("second.so", &second));
    let _ = write!(
        text,
        "\n## `replace` of a loaded module\n\nWithout build and load. \"Closed\" is how long callers wait at most; of that \"own\" is the \
         runtime's, the rest is draining and the module's own steps (saving, restoring, starting).\n\n\
         | state | same version | closed | own | migrated | closed | own |\n|---|--:|--:|--:|--:|--:|--:|\n"
    );
    for (name, size) in [("100 bytes", 100_u64), ("20 KB", 20_000), ("3 MB", 3_000_000)] {
        let _ = write!(text, "| {name} ");
        for pair in [[again, first], [second, first]] {
            let runtime = Runtime::builder().add_descriptor(first).build().unwrap();
            runtime.start().unwrap();
            runtime.call::<(u64,), ()>("blob.grow", (size,)).unwrap();
            let id = runtime.module_id("blob").unwrap();
            let (mut whole, mut closed, mut own) = (Vec::new(), Vec::new(), Vec::new());
            for round in 0..400 {
                let began = Instant::now();
                runtime.replace(id, pair[round % 2]).unwrap();
                whole.push(micros(began.elapsed()));
                let report: Replacement = runtime.replacement().unwrap();
                closed.push(micros(report.closed));
                own.push(micros(report.own()));
            }
            let _ = write!(text, "| {:.0} | {:.0} | {:.1} ", median(whole), median(closed), median(own));
        }
        text.push_str("|\n");
    }
    text.push_str("\nBudgets: 100 bytes in 300, own 10.\n");
}

/// Calls that are timed by turns with the others: how many nanoseconds one takes.
struct Timed<'a>(Box<dyn FnMut() -> f64 + 'a>);

impl<'a> Timed<'a> {
    fn new(mut call: impl FnMut() + 'a) -> Self {
        const CALLS: u32 = 20_000;
        Self(Box::new(move || {
            let began = Instant::now();
            (0..CALLS).for_each(|_| call());
            began.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
        }))
    }
}

#[inline(never)]
fn nothing(number: u64) -> u64 {
    black_box(number)
}

fn calls(folder: &Path, build: &dyn Fn(&str, &str) -> Vec<u8>, text: &mut String) {
    let path = folder.join("answer.so");
    fs::write(&path, build("answer", ANSWER)).unwrap();
    let loader = Loader::new().unwrap();
    let dylib = Runtime::builder().add_descriptor(loader.load(&path).unwrap().descriptor).build().unwrap();
    let linked = Runtime::builder().modules(modules![linked::Answer]).build().unwrap();
    let floor: fn(u64) -> u64 = black_box(nothing);
    let floor = Timed::new(|| {
        black_box(black_box(floor)(1));
    });
    let names = [
        "by handle, no argument, no reply",
        "by handle, with a number for a reply",
        "in bytes, into a buffer",
        "a built-in event, one handler",
    ];
    let mut timed = vec![floor];
    for runtime in [&linked, &dylib] {
        runtime.start().unwrap();
        let nothing = runtime.resolve::<(), ()>("answer.nothing").unwrap();
        let number = runtime.resolve::<(), u64>("answer.number").unwrap();
        let mut buffer = [0; 16];
        timed.push(Timed::new(move || nothing.call(()).unwrap()));
        timed.push(Timed::new(move || {
            let _ = black_box(number.call(()).unwrap());
        }));
        timed.push(Timed::new(move || {
            let _ = black_box(runtime.request_into("answer.number", &[], &mut buffer).unwrap());
        }));
        let tick = helix_runtime::Tick { timestamp_ns: 0, tick_number: 1 };
        timed.push(Timed::new(move || drop(black_box(runtime.publish(&tick)))));
    }
    let rounds: Vec<Vec<f64>> = (0..151).map(|_| timed.iter_mut().map(|timed| timed.0()).collect()).collect();
    let time = |at: usize| median(rounds.iter().map(|round| round[at]).collect());
    let ratio = |at: usize| median(rounds.iter().map(|round| round[at] / round[0]).collect());
    let _ = write!(
        text,
        "\n## A call into a library\n\nGuarded, so that the library cannot go under it. Floor: an indirect call, {:.2} ns. Nanoseconds, and how \
         often the floor, by turns.\n\n| call | linked | in a library |\n|---|--:|--:|\n",
        time(0)
    );
    for (at, name) in names.into_iter().enumerate() {
        let [linked, dylib] = [1 + at, 1 + names.len() + at].map(|at| format!("{:.1} ({:.1}x)", time(at), ratio(at)));
        let _ = writeln!(text, "| {name} | {linked} | {dylib} |");
    }
    text.push_str("\nBudget: a guarded call in 3 times the floor.\n");
}

fn discovery(folder: &Path, build: &dyn Fn(&str, &str) -> Vec<u8>, text: &mut String) {
    let many = folder.join("many");
    fs::create_dir_all(&many).unwrap();
    let first = folder.join("discovered.so");
    let bytes = build("answer", ANSWER);
    fs::write(&first, &bytes).unwrap();
    for number in 0..1000 {
        fs::hard_link(&first, many.join(format!("{number:04}.so"))).unwrap();
    }
    let all: Vec<f64> = (0..21)
        .map(|_| {
            let began = Instant::now();
            assert_eq!(Directory::read(&many).unwrap().modules.len(), 1000);
            began.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    let _ = write!(
        text,
        "\n## Discovery\n\n1,000 libraries of {} KiB, known by their records: **{:.1} ms**.\n",
        bytes.len() / 1024,
        median(all)
    );
}

const EDITS: usize = 12;

/// From the edit of a source file to the answer of the new code.
fn edits(folder: &Path, text: &mut String) {
    let cargo = support::cargo();
    let code = |name: &str, number: usize| {
        let named = ANSWER.replace("\"answer\"", &format!("\"{name}\""));
        named.replace("-> u64 { 0 }", &format!("-> u64 {{ {number} }}"))
    };
    let [module, alone] = ["edited", "alone"].map(|name| support::write_crate(folder, name, &code(name, 0)));
    let edit = |module: &ModuleCrate, number: usize| {
        fs::write(module.folder.join("src/lib.rs"), code(&module.package, number)).unwrap();
    };
    // Cargo's own time, for the very command on a crate of the same text.
    let plain = |number: usize| {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap());
        command.args(["rustc", "--quiet", "--lib", "--crate-type", "cdylib", "--features", "helix-runtime/std"]);
        command.arg("--manifest-path").arg(alone.folder.join("Cargo.toml"));
        command.arg("--target-dir").arg(support::cargo().target_dir.unwrap());
        command.args(["--", "--cfg", "helix_export", "-C", "strip=debuginfo"]);
        let began = Instant::now();
        edit(&alone, number);
        assert!(command.status().unwrap().success());
        began.elapsed().as_secs_f64() * 1e3
    };
    let built = cargo.build(&module, &Cancel::default(), &mut |_| {}).unwrap();
    plain(0);
    let host = Host::builder().libraries(&[built.path]).start().unwrap();
    let (tells, told) = channel();
    let (watches, watched) = channel();
    let ended = AtomicBool::new(false);
    let (mut ours, mut reloads) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let (host, ended) = (&host, &ended);
        let watch = Watch::new(cargo.clone(), vec![module.clone()]);
        scope.spawn(move || {
            watch.run(host, ended, || watches.send(()).unwrap(), &mut |news| drop(tells.send(news))).unwrap()
        });
        watched.recv().unwrap();
        for number in 1..=EDITS {
            let alone = plain(number);
            let began = Instant::now();
            edit(&module, number);
            while host.runtime().call::<(), u64>("edited.number", ()).unwrap() != number as u64 {
                std::thread::sleep(Duration::from_millis(1));
            }
            ours.push((alone, began.elapsed().as_secs_f64() * 1e3));
            let reloaded = loop {
                if let Told::Reloaded { reloaded, .. } = told.recv().unwrap() {
                    break reloaded;
                }
            };
            reloads.push((reloaded.seconds - reloaded.steps[0].seconds) * 1e3);
        }
        ended.store(true, Ordering::Relaxed);
    });
    let _ = write!(
        text,
        "\n## From an edit to the answer of the new code\n\nMilliseconds, a dev build of the same module, {EDITS} edits each. Cargo alone is the same \
         command: for `helix watch` on a crate of the same text by turns with it, for the rival the very build that it reloads, which is begun at \
         the edit, where a watcher would have to notice first. The ratio is the median of those of single edits.\n\n\
         | | cargo alone, ms | to the answer, ms | ratio |\n|---|--:|--:|--:|\n"
    );
    for (name, times) in [
        ("`helix watch`", ours),
        ("hot-lib-reloader, as it comes", rival(false)),
        ("hot-lib-reloader, settling for 10 ms", rival(true)),
    ] {
        let of = |which: fn(&(f64, f64)) -> f64| median(times.iter().map(which).collect());
        let (alone, whole, ratio) =
            (of(|(alone, _)| *alone), of(|(_, whole)| *whole), of(|(alone, whole)| whole / alone));
        let _ = writeln!(text, "| {name} | {alone:.0} | {whole:.0} | {ratio:.2} |");
    }
    let _ = write!(
        text,
        "\nBudget: 1.15 times cargo's. Of it, accepting, loading and replacing takes {:.1} ms.\n",
        median(reloads)
    );
}

/// The same with hot-lib-reloader: what cargo took, and until the new number was there.
fn rival(tuned: bool) -> Vec<(f64, f64)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/rival");
    // Where it looks for libraries, whatever cargo is told.
    let target: PathBuf = folder.join("target");
    let source = folder.join("lib/src/lib.rs");
    let whole = fs::read_to_string(&source).unwrap();
    let cargo = |args: &[&str]| {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap());
        command.args(args).arg("--quiet").current_dir(&folder).env_remove("CARGO_TARGET_DIR");
        assert!(command.status().unwrap().success());
    };
    let features: &[&str] = if tuned { &["--features", "tuned"] } else { &[] };
    cargo(&[&["build", "--workspace"], features].concat());
    let mut host =
        Command::new(target.join("debug/rival")).current_dir(&folder).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(host.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "0");
    let mut all = Vec::new();
    for number in 1..=EDITS {
        let began = Instant::now();
        fs::write(&source, whole.replace("    0\n", &format!("    {number}\n"))).unwrap();
        cargo(&["build", "-p", "rival-lib"]);
        let built = began.elapsed().as_secs_f64() * 1e3;
        while lines.next().unwrap().unwrap() != number.to_string() {}
        all.push((built, began.elapsed().as_secs_f64() * 1e3));
    }
    fs::write(&source, whole).unwrap();
    let _ = host.kill();
    let _ = host.wait();
    all
}
