//! The game is edited while it runs, by real builds: its code is new, its state is kept, and a mistake is survived.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use helix_runtime::{BuildFault, ConfigMap, Fault, Module, ModuleKind, StartPlan};

struct Game {
    program: Child,
    lines: Receiver<String>,
}

impl Drop for Game {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

impl Game {
    fn start(folder: &Path) -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_playground"))
            .arg("--folder")
            .arg(folder)
            .arg("--target-dir")
            .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("target"))
            .args(["--pictures", "20"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sends, lines) = channel();
        let stdout = BufReader::new(program.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sends.send(line)));
        Self { program, lines }
    }

    /// The first line of which that is so.
    #[track_caller]
    fn wait_for(&self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + Duration::from_secs(240);
        let mut last = String::new();
        while let Ok(line) = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            if is_it(&line) {
                return line;
            }
            last = line;
        }
        panic!("{what} is not seen; the last line is {last}");
    }
}

/// The points of a picture.
fn points(picture: &str) -> u64 {
    let text = picture.rsplit("| ").next().unwrap();
    text.split(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("no points in {picture}"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let path = entry.path();
        match path.is_dir() {
            true => copy(&path, &to.join(entry.file_name())),
            false => drop(fs::copy(&path, to.join(entry.file_name())).unwrap()),
        }
    }
}

/// The crates in a folder of their own, with a workspace around them like the repository's.
fn crates() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live");
    let _ = fs::remove_dir_all(&folder);
    for layer in ["core", "systems", "plugins", "apps"] {
        copy(&here.join(layer), &folder.join(layer));
    }
    let root = here.join("../..").canonicalize().unwrap();
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let common = &manifest[manifest.find("[workspace.package]").unwrap()..];
    let common = common.replace("examples/playground/core", "core");
    let common = common.replace("{ path = \"helix", &format!("{{ path = \"{}/helix", root.display()));
    let members = "members = [\"core/*\", \"systems/*\", \"plugins/*\", \"apps/*\"]";
    fs::write(folder.join("Cargo.toml"), format!("[workspace]\nresolver = \"3\"\n{members}\n\n{common}")).unwrap();
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    folder
}

#[test]
fn the_game_goes_on_with_its_score_while_it_is_edited() {
    let folder = crates();
    let game = Game::start(&folder);
    let source = folder.join("plugins/score/src/lib.rs");
    let first = fs::read_to_string(&source).unwrap();
    let is_picture = |line: &str| line.starts_with('|');
    game.wait_for("watching", |line| line == "watching");
    let before = points(&game.wait_for("a point", |line| is_picture(line) && points(line) > 0));

    let shows = first.replace("{} points", "{} points!");
    fs::write(&source, &shows).unwrap();
    let after = points(&game.wait_for("the new code", |line| is_picture(line) && line.ends_with("points!")));
    assert!(after >= before, "{after} after {before}");

    // Another field, which takes over what the old version has saved.
    let grown = shows
        .replace("    points: u64,\n", "    points: u64,\n    since: u64,\n")
        .replace("self.points += 1;", "self.points += 1;\n        self.since += 1;")
        .replace("format!(\"{} points!\", self.points)", "format!(\"{} points, {} new\", self.points, self.since)")
        .replace("fn save(&self) -> u64 {\n        self.points", "fn save(&self) -> (u64, u64) {\n        (self.points, self.since)")
        .replace("#[on_save(version = 1)]", "#[on_save(version = 2)]")
        .replace(
            "    #[on_restore(version = 1)]",
            "    #[on_restore(version = 2)]\n    fn both(&mut self, saved: (u64, u64)) {\n        (self.points, self.since) = saved;\n    }\n\n    #[on_restore(version = 1)]",
        );
    fs::write(&source, &grown).unwrap();
    let line = game.wait_for("the new field", |line| is_picture(line) && line.ends_with(" new"));
    assert!(points(&line) >= after, "{line} after {after}");

    fs::write(&source, grown.replace("self.since += 1;", "self.sinse += 1;")).unwrap();
    game.wait_for("the compiler's error", |line| line.contains("no field `sinse`"));
    let line = game.wait_for("the next picture", |line| is_picture(line) && line.ends_with(" new"));
    assert!(points(&line) >= after, "{line} after {after}");

    // A system that everybody calls, and that the app depends on.
    fs::write(&source, &grown).unwrap();
    let world = folder.join("systems/world/src/lib.rs");
    let edited = fs::read_to_string(&world).unwrap().replace(
        "self.entities.clone()\n    }\n\n    fn put",
        "self.entities.iter().take(1).cloned().collect()\n    }\n\n    fn put",
    );
    fs::write(&world, edited).unwrap();
    let field = |line: &str| line.split('|').nth(1).unwrap_or_default().matches('o').count();
    let one = |line: &str| is_picture(line) && field(line) == 1;
    game.wait_for("a field with one left", one);
}

#[test]
fn the_layers_are_enforced() {
    let plan = |score: &'static [helix_runtime::Dependency]| {
        let mut set = vec![playground_ecs::Ecs::DESCRIPTOR.info, playground_world::WorldSystem::DESCRIPTOR.info];
        set.push(playground_clock::ClockSystem::DESCRIPTOR.info);
        set.push(playground_movement::Movement::DESCRIPTOR.info);
        set.push(playground_score::Score::DESCRIPTOR.info.requires(score));
        set.push(playground_game::Game::DESCRIPTOR.info);
        StartPlan::new(&set, &ConfigMap::default()).faults
    };
    const CORE: &[helix_runtime::Dependency] = &[helix_runtime::Dependency::new("core/ecs")];
    const WORLD: &[helix_runtime::Dependency] = &[helix_runtime::Dependency::new("systems/world")];
    assert_eq!(plan(CORE), []);
    let expected = Fault::Layer {
        module: "plugins/score",
        kind: ModuleKind::Plugin,
        provider: "systems/world",
        found: Some(ModuleKind::System),
    };
    assert_eq!(plan(WORLD), [BuildFault::Set(expected)]);
}
