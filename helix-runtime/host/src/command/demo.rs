//! A guided tour: two modules are built, start and talk; then one is edited, three times, while they run.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use helix_host::{BuildFailure, Built, Cancel, Cargo, Host, ModuleCrate};
use helix_runtime::Tick;

use super::show::line;
use super::talk::{Ended, Talk};
use super::{files, show};

/// One edit of a source file: what stands there, and what then does.
type Edit = (&'static str, &'static str);

/// It shows more.
const SHOWS_MORE: Edit =
    (r#"format!("{} ticks", self.ticks)"#, r#"format!("{} ticks, or {} dozen", self.ticks, self.ticks / 12)"#);

/// It remembers more, and says how it comes by that.
const REMEMBERS_MORE: [Edit; 4] = [
    ("    ticks: u64,\n", "    ticks: u64,\n    since_edit: u64,\n"),
    ("self.ticks += 1;", "self.ticks += 1;\n        self.since_edit += 1;"),
    (
        r#"format!("{} ticks, or {} dozen", self.ticks, self.ticks / 12)"#,
        r#"format!("{} ticks, {} of them since the edit", self.ticks, self.since_edit)"#,
    ),
    (
        "    #[on_save(version = 1)]\n    fn save(&self) -> u64 {\n        self.ticks\n    }\n",
        "    #[on_save(version = 2)]\n    fn save(&self) -> (u64, u64) {\n        (self.ticks, self.since_edit)\n    }\n\n    \
         #[on_restore(version = 2)]\n    fn restore_both(&mut self, saved: (u64, u64)) {\n        \
         (self.ticks, self.since_edit) = saved;\n    }\n",
    ),
];

/// A mistake.
const MISTAKE: Edit = ("self.since_edit += 1;", "self.since_edits += 1;");

pub fn demo(talk: &Talk) -> Result<(), Ended> {
    let folder = tempfile::Builder::new().prefix("helix-demo-").tempdir()?;
    let tour = Tour::new(talk, folder.path())?;
    chapter("1. Two modules are written, and built into libraries")?;
    line(&listing(&tour.source()?))?;
    let began = Instant::now();
    let counter = tour.build(&tour.counter)?;
    let display = tour.build(&tour.display)?;
    line(&format!("\n  built in {:.1} s, most of it what they depend on", began.elapsed().as_secs_f64()))?;

    chapter("2. They start, and talk")?;
    let host = Host::builder().libraries(&[counter.path, display.path]).statistics().start()?;
    tick(&host, 40);
    show::modules(&host.modules())?;
    tour.ask(&host)?;

    chapter("3. One is edited while they run: its code is new, its state is kept")?;
    tour.edit(&[SHOWS_MORE])?;
    tour.reload(&host)?;
    tick(&host, 20);
    tour.ask(&host)?;

    chapter("4. It gets another field, and takes over what the old one saved")?;
    tour.edit(&REMEMBERS_MORE)?;
    tour.reload(&host)?;
    tick(&host, 12);
    tour.ask(&host)?;

    chapter("5. A mistake is the compiler's to tell; what ran before serves on")?;
    tour.edit(&[MISTAKE])?;
    match tour.build(&tour.counter) {
        Err(Ended { message, .. }) => line(&format!("  {}", message.trim_end().replace('\n', "\n  ")))?,
        Ok(_) => return Err(Ended::failed("the mistake was compiled")),
    }
    tick(&host, 8);
    tour.ask(&host)?;

    chapter("That is all. For a module of your own")?;
    line("  helix new hello         # a module crate with a test")?;
    line("  helix watch hello       # run it, and reload it whenever it is edited")?;
    line("  helix call hello.count  # in another terminal")?;
    host.stop()?;
    Ok(())
}

fn chapter(title: &str) -> Result<(), Ended> {
    line(&format!("\n{title}\n"))
}

/// What is in a file, set off.
fn listing(source: &str) -> String {
    let from = source.find("#[helix_module").unwrap_or(0);
    source[from..]
        .trim_end()
        .lines()
        .map(|line| format!("  | {line}").trim_end().to_string())
        .collect::<Vec<_>>()
        .join("\n")
}

/// A clock of the demo's own.
fn tick(host: &Host, ticks: u64) {
    for tick_number in 0..ticks {
        // Whether they act on it is shown by what they say.
        let _ = host.runtime().publish(&Tick { timestamp_ns: tick_number * 1_000_000, tick_number });
    }
}

struct Tour<'a> {
    talk: &'a Talk,
    folder: PathBuf,
    cargo: Cargo,
    counter: ModuleCrate,
    display: ModuleCrate,
}

impl<'a> Tour<'a> {
    fn new(talk: &'a Talk, folder: &Path) -> Result<Self, Ended> {
        let sources = [("counter", include_str!("tour/counter.txt")), ("display", include_str!("tour/display.txt"))];
        for (name, source) in sources {
            let folder = folder.join(name);
            files::write_crate(&folder, name, name)?;
            fs::remove_dir_all(folder.join("tests"))?;
            fs::write(folder.join("src/lib.rs"), source)?;
        }
        fs::write(folder.join("Cargo.toml"), "[workspace]\nresolver = \"3\"\nmembers = [\"counter\", \"display\"]\n")?;
        // The versions that this command was built with, so that nothing is fetched.
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
        if lock.exists() {
            fs::copy(lock, folder.join("Cargo.lock"))?;
        }
        let cargo = Cargo { target_dir: target_dir(), progress: talk.is_terminal(), ..Cargo::default() };
        let (counter, display) = (cargo.find(&folder.join("counter"))?, cargo.find(&folder.join("display"))?);
        Ok(Self { talk, folder: folder.into(), cargo, counter, display })
    }

    fn path(&self) -> PathBuf {
        self.folder.join("counter/src/lib.rs")
    }

    fn source(&self) -> Result<String, Ended> {
        Ok(fs::read_to_string(self.path())?)
    }

    fn build(&self, module: &ModuleCrate) -> Result<Built, Ended> {
        let built = self.cargo.build(module, &Cancel::default(), &mut |bytes| self.talk.pass(bytes));
        built.map_err(|failure| match failure {
            BuildFailure::Compiler { rendered, .. } => Ended::failed(rendered),
            failure => failure.into(),
        })
    }

    /// Changes the counter's source, and shows what of it.
    fn edit(&self, edits: &[Edit]) -> Result<(), Ended> {
        let before = self.source()?;
        let mut after = before.clone();
        for (old, new) in edits {
            if !after.contains(old) {
                return Err(Ended::failed(format!("the source has no `{old}`")));
            }
            after = after.replace(old, new);
        }
        let old: Vec<&str> = before.lines().collect();
        let new: Vec<&str> = after.lines().collect();
        for text in old.iter().filter(|line| !new.contains(line)) {
            line(&format!("  - {}", text.trim_start()))?;
        }
        for text in new.iter().filter(|line| !old.contains(line)) {
            line(&format!("  + {}", text.trim_start()))?;
        }
        Ok(fs::write(self.path(), after)?)
    }

    /// What `helix watch` does at a change.
    fn reload(&self, host: &Host) -> Result<(), Ended> {
        let built = self.build(&self.counter)?;
        let reloaded = host.reload_built(&built)?;
        line(&format!("\n  {}", reloaded.summary().replace('\n', "\n  ")))
    }

    fn ask(&self, host: &Host) -> Result<(), Ended> {
        let read = host.runtime().call::<(), String>("display.read", ());
        let read = read.map_err(|error| Ended::failed(error.to_string()))?;
        line(&format!("\n  $ helix call display.read\n  {read}"))
    }
}

/// Where this command was built, so that what it depends on too is built once; a folder of the demo's own else.
fn target_dir() -> Option<PathBuf> {
    let exe = std::env::current_exe().ok()?;
    let target = exe.parent()?.parent()?;
    // Not that of the demo: it goes with it, and the wait would be the same each time.
    let is_target = target.join("CACHEDIR.TAG").exists();
    is_target.then(|| target.join("demo"))
}
