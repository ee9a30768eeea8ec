//! A game of which every part can be edited while it runs: contracts, systems, plugins and the app that ties them.
//!
//! `cargo run -p playground`, and then edit `plugins/score/src/lib.rs`: the next picture is the new code's, with the old
//! score.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use helix_host::{BuildFailure, Cancel, Cargo, Host, HostFault, Told, Watch};
use helix_runtime::Tick;

/// A game of which every part can be edited while it runs.
#[derive(Debug, Parser)]
struct Args {
    /// End after so many seconds; run on without
    #[arg(long)]
    seconds: Option<u64>,
    /// How many pictures a second
    #[arg(long, default_value_t = 2)]
    pictures: u32,
    /// Where the modules' crates are
    #[arg(long, default_value = env!("CARGO_MANIFEST_DIR"))]
    folder: PathBuf,
    /// Where cargo puts what it builds; its own choice without
    #[arg(long)]
    target_dir: Option<PathBuf>,
}

/// The crates, by their layer.
const CRATES: [&str; 6] =
    ["core/ecs", "systems/world", "systems/clock", "plugins/movement", "plugins/score", "apps/game"];

const STEPS_A_SECOND: u32 = 60;

fn main() -> Result<(), HostFault> {
    let args = Args::parse();
    let cargo = Cargo { target_dir: args.target_dir.clone(), ..Cargo::default() };
    let crates = CRATES.map(|name| cargo.find(&args.folder.join(name))).into_iter().collect::<Result<Vec<_>, _>>()?;
    let watch = Watch::new(cargo.clone(), crates.to_vec());
    let mut libraries = Vec::new();
    for module in &crates {
        let built =
            cargo.build(module, &Cancel::default(), &mut |bytes| eprint!("{}", String::from_utf8_lossy(bytes)))?;
        libraries.push(built.path);
    }
    let host = Host::builder().libraries(&libraries).start()?;
    println!("running; edit {}", shown(&args.folder.join("plugins/score/src/lib.rs")));
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (host, ended) = (&host, &ended);
        let watching = scope.spawn(|| watch.run(host, ended, || println!("watching"), &mut tell));
        let played = play(host, &args);
        ended.store(true, Ordering::Relaxed);
        let watched = watching.join().expect("what is told does not panic");
        played.and(watched)
    })?;
    host.stop()
}

/// Sixty steps a second, each when it is due.
fn play(host: &Host, args: &Args) -> Result<(), HostFault> {
    let (began, step) = (Instant::now(), Duration::from_secs(1) / STEPS_A_SECOND);
    let steps = args.seconds.map_or(u64::MAX, |seconds| seconds * u64::from(STEPS_A_SECOND));
    let every = u64::from((STEPS_A_SECOND / args.pictures.max(1)).max(1));
    for tick_number in 1..=steps {
        let due = step * tick_number as u32;
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        let timestamp_ns = began.elapsed().as_nanos() as u64;
        let heard = host.runtime().publish(&Tick { timestamp_ns, tick_number });
        if let Some((module, error)) = heard.first_error {
            println!("{module}: {error}");
        }
        if tick_number % every == 0 {
            println!("{}", host.runtime().call::<(), String>("apps/game.picture", ())?);
        }
    }
    Ok(())
}

fn tell(told: Told) {
    match told {
        Told::Changed { files, .. } => {
            println!("changed {}", files.iter().map(|file| shown(file)).collect::<Vec<_>>().join(", "));
        }
        Told::Reloaded { reloaded, .. } => println!("{}: {}", reloaded.module, reloaded.summary().replace('\n', "; ")),
        Told::Failed { failure: BuildFailure::Compiler { rendered, .. }, .. } => {
            println!("does not compile; what ran before runs on\n{}", rendered.trim_end());
        }
        Told::Failed { failure, .. } => println!("{failure}"),
        Told::Refused { fault, .. } => println!("{fault}"),
        _ => {}
    }
}

fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
