//! How much a process uses of what it may.

use std::fs;

use super::Sandbox;

/// How much a process uses of one thing, and how much it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// `memory` in bytes, `files`, or `cpu` in seconds.
    pub(crate) resource: &'static str,
    pub(crate) used: u64,
    pub(crate) limit: u64,
}

/// What the process of that number uses, as far as the system tells.
pub(super) fn of(pid: u32, sandbox: &Sandbox) -> Vec<Usage> {
    let limits = [("memory", Some(sandbox.memory)), ("files", Some(sandbox.files)), ("cpu", sandbox.cpu)];
    let used = |resource| match resource {
        "memory" => memory(pid),
        "files" => fs::read_dir(format!("/proc/{pid}/fd")).ok().map(|files| files.count() as u64),
        _ => processor(pid),
    };
    let usage =
        |(resource, limit): (&'static str, Option<u64>)| Some(Usage { resource, used: used(resource)?, limit: limit? });
    if sandbox.closed { limits.into_iter().filter_map(usage).collect() } else { Vec::new() }
}

/// What counts against `RLIMIT_DATA`, in bytes: `VmData` of proc_pid_status(5).
pub(super) fn memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

/// How much processor time it has used, in seconds: `utime` and `stime` of proc_pid_stat(5), in ticks of which Linux tells
/// programs that there are 100 a second.
fn processor(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may have spaces in it; `utime` is the twelfth field after it.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some((ticks()? + ticks()?) / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_process_uses_is_found() {
        let sandbox = Sandbox { cpu: Some(1000), ..Sandbox::default() };
        let usages = of(std::process::id(), &sandbox);
        let names: Vec<&str> = usages.iter().map(|usage| usage.resource).collect();
        assert_eq!(names, ["memory", "files", "cpu"]);
        assert!(usages[0].used > 100 << 10 && usages[1].used >= 3, "{usages:?}");
        assert!(of(u32::MAX, &sandbox).is_empty(), "nobody has that number");
    }
}
