//! The `helix` command: module crates are built, checked, run, watched, and a running host is asked and steered.
//!
//! stdout is data, stderr is talk. Every verb that reads gives JSON with `--json`.

mod command;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use command::talk::{Color, Ended, Talk};

/// Modules for Rust programs: built, checked, run, reloaded while they serve, and talked to.
#[derive(Debug, Parser)]
#[command(name = "helix", version, propagate_version = true)]
#[command(after_help = "Exit: 0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 timeout, 6 no host running.")]
struct Helix {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    global: Global,
}

#[derive(Debug, Args)]
struct Global {
    /// Give what is read as JSON
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing but what was asked for
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    verbose: bool,
    /// When to use colors
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    color: Color,
    /// The control socket of the host that is meant [default: $HELIX_SOCKET, or one of the user's own]
    #[arg(long, global = true, value_name = "PATH")]
    socket: Option<PathBuf>,
}

/// A picture of who needs whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Tree,
    Mermaid,
    Dot,
    Svg,
}

#[derive(Debug, Args)]
struct How {
    /// Build with optimizations
    #[arg(long)]
    release: bool,
    /// Keep what debuggers read: ten times the size, which is checked and copied at each load
    #[arg(long)]
    debuginfo: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve a module to the host that has made this process
    #[command(name = helix_host::VERB, hide = true)]
    ServeModule,
    /// A guided tour: modules start, talk, and one is edited and reloaded live
    Demo,
    /// Make a module crate with a test
    New {
        /// The module's name; the crate lies in a folder of that name
        name: String,
    },
    /// Build a module crate into a loadable library
    Build {
        /// The crate's folder
        #[arg(default_value = ".")]
        crates: Vec<PathBuf>,
        #[command(flatten)]
        how: How,
    },
    /// Make a key for signatures
    Keygen {
        /// The file that the secret key goes into; it must not be there yet
        key: PathBuf,
    },
    /// Sign a library: the signature is put beside it
    Sign {
        /// The library
        library: PathBuf,
        /// The file with the secret key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Have enough of these keys signed a library?
    Verify {
        /// The library
        library: PathBuf,
        /// A public key that is trusted
        #[arg(long = "key", value_name = "HEX", required = true)]
        keys: Vec<String>,
        /// How many of them have to have signed it
        #[arg(long, value_name = "K", default_value = "1")]
        threshold: usize,
    },
    /// What a library, an executable or a kernel image says of its modules; what is in force for a loaded one
    Info {
        /// A file, or a module of the running host
        what: String,
    },
    /// Would the libraries of a directory load, in what order, else why not
    Check {
        /// The directory
        folder: PathBuf,
        /// The configuration
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Run a host with the libraries of a directory, or with those that are named
    Run {
        /// A directory, or libraries
        #[arg(required = true)]
        what: Vec<PathBuf>,
        /// The configuration
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Run a host with module crates, and rebuild and reload each when its sources change
    Watch {
        /// The crates' folders
        #[arg(required = true)]
        crates: Vec<PathBuf>,
        /// The configuration
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        #[command(flatten)]
        how: How,
    },
    /// What runs
    Ls,
    /// Why a module runs, or does not
    Why {
        /// The module
        module: String,
    },
    /// Who needs whom
    Graph {
        /// How it is drawn
        #[arg(long, value_enum, default_value = "tree")]
        format: Format,
    },
    /// What the modules say of themselves
    Health,
    /// What was published, and who heard it
    Stats,
    /// What modules in processes of their own may do: asked for, granted, used, denied
    Permissions,
    /// Call a request of a module or a service
    Call {
        /// `module.request`
        request: String,
        /// The arguments: `name=value` for each, or one JSON value
        args: Vec<String>,
    },
    /// Publish an event
    Emit {
        /// The event's name
        event: String,
        /// Its fields: `name=value` for each, or one JSON value
        args: Vec<String>,
    },
    /// Listen to what is published, until interrupted
    Events {
        /// Only this event or topic
        filter: Option<String>,
    },
    /// What modules have written to the log
    Logs {
        /// Only this module
        module: Option<String>,
        /// Wait for more, until interrupted
        #[arg(short, long)]
        follow: bool,
    },
    /// Load a library into the running host, and start its module
    Load {
        /// The library
        path: PathBuf,
    },
    /// Start a module that was stopped
    Start {
        /// The module
        module: String,
    },
    /// Stop a module that nobody needs
    Stop {
        /// The module
        module: String,
    },
    /// Stop a module and take it away
    Unload {
        /// The module
        module: String,
    },
    /// Replace a module by what is in its library now, with its state, while it serves
    Reload {
        /// The module
        module: String,
        /// Another library of it
        path: Option<PathBuf>,
    },
    /// Print a script that completes this command's arguments
    Completions {
        /// For which shell
        shell: Shell,
    },
}

/// Whether this is `cargo run` in this repository, which shows the demo.
fn is_run_by_cargo() -> bool {
    std::env::var("CARGO_PKG_NAME").is_ok_and(|name| name == env!("CARGO_PKG_NAME"))
}

fn main() -> ExitCode {
    let Helix { verb, global } = Helix::parse();
    let Some(verb) = verb.or_else(|| is_run_by_cargo().then_some(Verb::Demo)) else {
        // Nothing more can be done if there is nobody to read it.
        let _ = Helix::command().print_help();
        return ExitCode::from(2);
    };
    let talk = Talk::new(global.quiet, global.verbose, global.color);
    let ask = command::ask::Asker { talk: &talk, socket: global.socket.as_deref(), json: global.json };
    let ended = match verb {
        Verb::ServeModule => helix_host::serve(),
        Verb::Demo => command::demo::demo(&talk),
        Verb::Keygen { key } => command::sign::keygen(&talk, &key),
        Verb::Sign { library, key } => command::sign::sign(&talk, &library, &key),
        Verb::Verify { library, keys, threshold } => command::sign::verify(&talk, &library, &keys, threshold),
        Verb::New { name } => command::files::new(&talk, &name),
        Verb::Build { crates, how } => command::files::build(&talk, &crates, &how, global.json),
        Verb::Info { what } => command::files::info(&ask, &what),
        Verb::Check { folder, config } => command::files::check(&talk, &folder, config.as_deref(), global.json),
        Verb::Run { what, config } => command::run::run(&talk, &what, config.as_deref(), global.socket.as_deref()),
        Verb::Watch { crates, config, how } => {
            command::run::watch(&talk, &crates, &how, config.as_deref(), global.socket.as_deref())
        }
        Verb::Ls => ask.ls(),
        Verb::Why { module } => ask.why(module),
        Verb::Graph { format } => ask.graph(format),
        Verb::Health => ask.health(),
        Verb::Stats => ask.stats(),
        Verb::Permissions => ask.permissions(),
        Verb::Call { request, args } => ask.call(request, &args),
        Verb::Emit { event, args } => ask.emit(event, &args),
        Verb::Events { filter } => ask.events(filter),
        Verb::Logs { module, follow } => ask.logs(module, follow),
        Verb::Load { path } => ask.load(&path),
        Verb::Start { module } => ask.start(module),
        Verb::Stop { module } => ask.stop(module),
        Verb::Unload { module } => ask.unload(module),
        Verb::Reload { module, path } => ask.reload(module, path.as_deref()),
        Verb::Completions { shell } => {
            clap_complete::generate(shell, &mut Helix::command(), "helix", &mut std::io::stdout());
            Ok(())
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Ended { exit, message, next }) => {
            if !message.is_empty() {
                talk.error(&message, next.as_deref());
            }
            ExitCode::from(exit)
        }
    }
}
