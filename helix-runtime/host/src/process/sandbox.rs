//! The sandbox of a process, closed before anything of its module is loaded.
//!
//! Landlock holds files, TCP, abstract sockets and signals; seccomp what is left of the network, processes, and the kernel's
//! rarer services; limits hold memory, processor time and files. What the kernel does not offer is an error, unless less is
//! accepted.

mod calls;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr, Scope,
    path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};
use serde::{Deserialize, Serialize};

use calls::{FATAL, MANY_AT_ONCE, NETWORK, SETTINGS, USUAL};

/// Closes what the host had open and did not mean to leave: all but the three streams.
pub(super) fn close_inherited() -> std::io::Result<()> {
    // SAFETY: the process has just begun: nobody in it has opened anything, or knows of what was left to it.
    match unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// What a process may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// Whether there is one at all.
    pub closed: bool,
    /// Whether it is accepted that the kernel offers less.
    pub accept_less: bool,
    /// How much memory it may have of its own, in bytes.
    pub memory: u64,
    /// How much processor time, in seconds; as much as it likes if none.
    pub cpu: Option<u64>,
    /// How many files it may have open.
    pub files: u64,
    /// The directory that is its own.
    pub data_dir: Option<PathBuf>,
    /// Whether it may use the network.
    pub network: bool,
}

impl Default for Sandbox {
    /// Closed, with 256 MiB of memory, 256 open files and no network.
    fn default() -> Self {
        Self {
            closed: true,
            accept_less: false,
            memory: 256 << 20,
            cpu: None,
            files: 256,
            data_dir: None,
            network: false,
        }
    }
}

/// What the system's loader and a library's `std` read.
const READ: &[&str] = &[
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/proc/self",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
    "/dev/urandom",
];

/// How names of the network are found: what the system's libraries read and call for it.
const NAMES: [&str; 5] = ["/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf"];

/// Closes the sandbox around this process, which has one thread. Gives what is in force.
pub fn close(sandbox: &Sandbox, library: &Path) -> Result<Vec<String>, String> {
    if !sandbox.closed {
        return Ok(vec![super::NO_SANDBOX.into()]);
    }
    let mut applied = limits(sandbox)?;
    let mut take = |what: &str, done: Result<String, String>| match done {
        Ok(done) => {
            applied.push(done);
            Ok(())
        }
        Err(_) if sandbox.accept_less => {
            applied.push(format!("no {what}"));
            Ok(())
        }
        Err(error) => Err(format!("{what}: {error}; accept_less = true does without")),
    };
    take(
        "no_new_privs",
        rustix::thread::set_no_new_privs(true).map(|()| "no_new_privs".into()).map_err(|error| error.to_string()),
    )?;
    let none = CapabilitySet::empty();
    let none = CapabilitySets { effective: none, permitted: none, inheritable: none };
    let dropped = rustix::thread::set_capabilities(None, none).map(|()| "capabilities dropped".into());
    take("dropped capabilities", dropped.map_err(|error| error.to_string()))?;
    take("landlock", landlock(sandbox, library).map_err(|error| error.to_string()))?;
    take("seccomp", seccomp(sandbox).map_err(|error| error.to_string()))?;
    Ok(applied)
}

fn limits(sandbox: &Sandbox) -> Result<Vec<String>, String> {
    let mut applied = Vec::new();
    let mut limit = |resource, most: u64, more: u64, what: String| {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most + more) })
            .map_err(|error| format!("{what}: {error}"))?;
        applied.push(what);
        Ok::<(), String>(())
    };
    one_arena();
    limit(Resource::Data, sandbox.memory, 0, format!("memory {} MiB", sandbox.memory >> 20))?;
    // What is not writable at the moment, and stacks, do not count as data: all that is mapped is bounded as well.
    let mapped = sandbox.memory + MAPPED;
    limit(Resource::As, mapped, 0, format!("{} MiB mapped", mapped >> 20))?;
    limit(Resource::Nofile, sandbox.files, 0, format!("{} files", sandbox.files))?;
    limit(Resource::Core, 0, 0, "no core dumps".into())?;
    if let Some(seconds) = sandbox.cpu {
        // First the signal that has the limit's name.
        limit(Resource::Cpu, seconds, 1, format!("processor {seconds} s"))?;
    }
    if sandbox.network {
        applied.push("network".into());
    }
    Ok(applied)
}

/// How much more than its memory may be mapped, in bytes: programs, libraries, files and the room between stacks.
const MAPPED: u64 = 256 << 20;

/// Has the allocator reserve no address space for each thread, which would count as mapped.
fn one_arena() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the process has one thread, and nobody is in the allocator.
    let _ = unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
}

fn landlock(sandbox: &Sandbox, library: &Path) -> Result<String, landlock::RulesetError> {
    let abi = ABI::V6;
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let mut ruleset =
        ruleset.handle_access(AccessFs::from_all(abi))?.scope(Scope::AbstractUnixSocket | Scope::Signal)?;
    if !sandbox.network {
        ruleset = ruleset.handle_access(AccessNet::from_all(abi))?;
    }
    let own = sandbox.data_dir.as_ref();
    // A process whose host is less sure of its kernel takes what rules apply to: a path that is not there has none.
    let created = ruleset.create()?.set_compatibility(CompatLevel::BestEffort);
    let read = path_beneath_rules(READ.iter().map(Path::new).chain([library]), AccessFs::from_read(abi));
    let names = path_beneath_rules(NAMES.iter().filter(|_| sandbox.network), AccessFs::from_read(abi));
    let null = path_beneath_rules(["/dev/null"], AccessFs::from_file(abi));
    let own = path_beneath_rules(own, AccessFs::from_all(abi));
    created.add_rules(read)?.add_rules(names)?.add_rules(null)?.add_rules(own)?.restrict_self()?;
    Ok("landlock".into())
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// A rule for calls whose argument is that.
fn only(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?;
    Ok(vec![SeccompRule::new(vec![condition])?])
}

fn seccomp(sandbox: &Sandbox) -> Result<String, Box<dyn std::error::Error>> {
    let target = TargetArch::try_from(std::env::consts::ARCH)?;
    let apply = |rules: Rules, otherwise: SeccompAction, then: SeccompAction| {
        let program: BpfProgram = SeccompFilter::new(rules, otherwise, then, target)?.try_into()?;
        seccompiler::apply_filter(&program)?;
        Ok::<(), Box<dyn std::error::Error>>(())
    };
    // What it is to do stands in memory, where no filter looks: libraries take `clone` then.
    let clone3: Rules = [(libc::SYS_clone3, Vec::new())].into();
    apply(clone3, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32))?;
    let own = u64::from(std::process::id());
    let mut fatal: Rules = FATAL.iter().map(|call| (*call, Vec::new())).collect();
    if !sandbox.network {
        fatal.extend(NETWORK.iter().map(|call| (*call, Vec::new())));
        // To whoever is at the other end, and to no address.
        let address = SeccompCondition::new(4, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)?;
        fatal.insert(libc::SYS_sendto, vec![SeccompRule::new(vec![address])?]);
    }
    // Threads are made with `clone`, and so are processes.
    let threads = SeccompCmpOp::MaskedEq(libc::CLONE_THREAD as u64);
    fatal.insert(libc::SYS_clone, only(0, threads, 0)?);
    fatal.insert(libc::SYS_tgkill, only(0, SeccompCmpOp::Ne, own)?);
    apply(fatal, SeccompAction::Allow, SeccompAction::KillProcess)?;
    let mut usual: Rules = USUAL.iter().map(|call| (*call, Vec::new())).collect();
    if sandbox.network {
        usual.extend(NETWORK.iter().chain(&MANY_AT_ONCE).map(|call| (*call, Vec::new())));
        // Not to sockets of this machine's other programs: its host's own is one of them.
        let mut domains = only(0, SeccompCmpOp::Eq, libc::AF_INET as u64)?;
        domains.extend(only(0, SeccompCmpOp::Eq, libc::AF_INET6 as u64)?);
        usual.insert(libc::SYS_socket, domains);
        // Of the sockets' own settings those that are usual; not to have more room than everybody may have.
        let mut settings = only(1, SeccompCmpOp::Ne, libc::SOL_SOCKET as u64)?;
        for setting in SETTINGS {
            settings.extend(only(2, SeccompCmpOp::Eq, setting as u64)?);
        }
        usual.insert(libc::SYS_setsockopt, settings);
    }
    // A pipe is as long as it is.
    usual.insert(libc::SYS_fcntl, only(1, SeccompCmpOp::Ne, libc::F_SETPIPE_SZ as u64)?);
    // No file that is made runs with its owner's rights.
    let plain = |argument| only(argument, SeccompCmpOp::MaskedEq(u64::from(libc::S_ISUID | libc::S_ISGID)), 0);
    usual.insert(libc::SYS_openat, plain(3)?);
    #[cfg(target_arch = "x86_64")]
    usual.insert(libc::SYS_open, plain(2)?);
    // Of memory without a file what is the process's alone: only that counts against its limit.
    let flags = |mask: i32, value: i32| {
        let operator = SeccompCmpOp::MaskedEq(mask as u64);
        let condition = SeccompCondition::new(3, SeccompCmpArgLen::Dword, operator, value as u64)?;
        SeccompRule::new(vec![condition])
    };
    // What grows downwards does not.
    let grows = libc::MAP_GROWSDOWN;
    let private = flags(libc::MAP_SHARED | libc::MAP_PRIVATE | grows, libc::MAP_PRIVATE)?;
    usual.insert(libc::SYS_mmap, vec![flags(libc::MAP_ANONYMOUS | grows, 0)?, private]);
    // Whether a file is a terminal, how much there is to read, and whether it blocks; nothing that changes a file.
    let mut asks = Vec::new();
    for request in [libc::TCGETS, libc::FIONREAD, libc::FIONBIO, libc::FIOCLEX] {
        asks.extend(only(1, SeccompCmpOp::Eq, request)?);
    }
    usual.insert(libc::SYS_ioctl, asks);
    // Limits may be looked at.
    let pointer = SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)?;
    usual.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![pointer])?]);
    // A thread has a name, and so has a piece of memory.
    let mut names = only(0, SeccompCmpOp::Eq, libc::PR_SET_NAME as u64)?;
    names.extend(only(0, SeccompCmpOp::Eq, 0x5356_4d41)?);
    usual.insert(libc::SYS_prctl, names);
    // The last one: after it none can be added.
    apply(usual, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow)?;
    Ok("seccomp".into())
}
