//! A directory of libraries: what is in it, known by the records alone, and whether it would load.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use helix_runtime::modinfo::{Record, RecordError, SECTION};
use helix_runtime::{BuildFault, Config, ModuleInfo, StartPlan};
use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, SectionHeader};
use object::{Endianness, pod};

use crate::accept::{Refusal, accept_record};
use crate::library::FileFault;
use crate::manifest::Manifest;

/// A library of a directory.
#[derive(Debug, Clone)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// What it says of its module.
    pub record: Record,
    /// The same, as metadata.
    pub info: ModuleInfo,
    /// What is said of it beside it, if there is a `module.toml`.
    pub manifest: Option<Manifest>,
}

/// What is in a directory.
#[derive(Debug, Default)]
pub struct Directory {
    /// The modules, by their names.
    pub modules: Vec<Found>,
    /// The files that look like libraries and are none of a module, and why.
    pub faults: Vec<FileFault>,
}

/// Whether a set would load.
#[derive(Debug)]
pub struct Checked {
    /// The modules in the order in which they would start; empty if they cannot.
    pub order: Vec<ModuleInfo>,
    /// For each of these, who meets each of its dependencies.
    pub needs: Vec<Vec<Option<&'static str>>>,
    /// The files that are no modules.
    pub files: Vec<FileFault>,
    /// The modules that do not fit into this program.
    pub refusals: Vec<Refusal>,
    /// What does not fit together.
    pub faults: Vec<BuildFault>,
}

impl Checked {
    /// All that is wrong, in words.
    pub fn all_faults(&self) -> Vec<String> {
        let files = self.files.iter().map(ToString::to_string);
        let refusals = self.refusals.iter().map(ToString::to_string);
        files.chain(refusals).chain(self.faults.iter().map(ToString::to_string)).collect()
    }

    /// Whether nothing is wrong.
    pub fn is_fine(&self) -> bool {
        self.files.is_empty() && self.refusals.is_empty() && self.faults.is_empty()
    }
}

impl Directory {
    /// Reads the record of each library in a directory, and of nothing more of it.
    ///
    /// # Errors
    /// When the directory cannot be listed. What is wrong with a file is among the [faults](Self::faults).
    pub fn read(folder: &Path) -> Result<Self, FileFault> {
        let io = |error| FileFault::Io { path: folder.into(), error };
        let entries = fs::read_dir(folder).map_err(io)?;
        let paths = entries.map(|entry| entry.map(|entry| entry.path()).map_err(io)).collect::<Result<Vec<_>, _>>()?;
        let is_library = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "so");
        let mut paths: Vec<PathBuf> = paths.into_iter().filter(is_library).collect();
        paths.sort();
        Ok(Self::of_files(&paths))
    }

    /// The same of files that are named.
    pub fn of_files(paths: &[PathBuf]) -> Self {
        let mut directory = Self::default();
        for path in paths {
            match Found::read(path) {
                Ok(found) => directory.modules.push(found),
                Err(fault) => directory.faults.push(fault),
            }
        }
        directory.modules.sort_by_key(|found| found.info.name);
        directory
    }

    /// Whether these would load into this program beside what is linked to it, in which order, else why not: every fault.
    pub fn check(&self, linked: &[ModuleInfo], config: &dyn Config) -> Checked {
        let refusals =
            self.modules.iter().filter_map(|found| accept_record(&found.path, &found.record).err()).collect();
        let set: Vec<ModuleInfo> = linked.iter().copied().chain(self.modules.iter().map(|found| found.info)).collect();
        let mut plan = StartPlan::new(&set, config);
        if self.modules.iter().any(|found| found.info.name == HOST) {
            plan.faults
                .push(BuildFault::Told(format!("`{HOST}` is the host's own name; call the module something else")));
        }
        let needs = |at: &usize| plan.needs[*at].iter().map(|met| met.map(|met| set[met].name)).collect();
        Checked {
            order: plan.order.iter().map(|at| set[*at]).collect(),
            needs: plan.order.iter().map(needs).collect(),
            files: self.faults.iter().map(FileFault::again).collect(),
            refusals,
            faults: plan.faults,
        }
    }

    /// The module of that name, or else the first that provides such a service.
    pub fn find(&self, name: &str) -> Option<&Found> {
        let module = self.modules.iter().find(|found| found.info.name == name);
        module.or_else(|| self.modules.iter().find(|found| found.info.provides.contains(&name)))
    }
}

impl Found {
    /// Reads the record of one file.
    pub fn read(path: &Path) -> Result<Self, FileFault> {
        let record = read_record(path)?;
        let info = record.info().map_err(|error| FileFault::Record { path: path.into(), error })?;
        let manifest = Manifest::beside(path, &record)?;
        Ok(Self { path: path.into(), record, info, manifest })
    }
}

/// The name under which modules ask their host.
pub(crate) const HOST: &str = "helix";

/// The record of a file, of which only the headers and the record itself are read.
fn read_record(path: &Path) -> Result<Record, FileFault> {
    let section = section(path)?.ok_or_else(|| FileFault::Record { path: path.into(), error: RecordError::Missing })?;
    Record::read_single(&section).map_err(|error| FileFault::Record { path: path.into(), error })
}

/// All the records of a library, an executable or a kernel image.
pub fn read_records(path: &Path) -> Result<Vec<Record>, FileFault> {
    let Some(section) = section(path)? else { return Ok(Vec::new()) };
    Record::read(&section).collect::<Result<_, _>>().map_err(|error| FileFault::Record { path: path.into(), error })
}

/// How long a table of sections, of their names, or a section of records may be at most.
const LONGEST: u64 = 64 << 20;

struct Reader<'a> {
    path: &'a Path,
    file: fs::File,
    size: u64,
}

impl Reader<'_> {
    fn read(&mut self, what: &'static str, at: u64, length: u64) -> Result<Vec<u8>, FileFault> {
        let io = |error| FileFault::Io { path: self.path.into(), error };
        let end = at.saturating_add(length);
        if end > self.size {
            return Err(FileFault::Truncated { path: self.path.into(), what, found: self.size, expected: end });
        }
        if length > LONGEST {
            return Err(self.not(format!("{what} of {length} bytes")));
        }
        let mut bytes = vec![0; length as usize];
        self.file.seek(SeekFrom::Start(at)).map_err(io)?;
        match self.file.read_exact(&mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(FileFault::Truncated { path: self.path.into(), what, found: self.size, expected: end })
            }
            Err(error) => Err(FileFault::Io { path: self.path.into(), error }),
        }
    }

    fn not(&self, found: String) -> FileFault {
        FileFault::NotALibrary { path: self.path.into(), found }
    }
}

/// The section of records of an ELF file of 64 bits, or of 32.
fn section(path: &Path) -> Result<Option<Vec<u8>>, FileFault> {
    let io = |error| FileFault::Io { path: path.into(), error };
    let metadata = fs::metadata(path).map_err(io)?;
    if !metadata.is_file() {
        return Err(FileFault::NotALibrary { path: path.into(), found: "no regular file".into() });
    }
    let mut reader = Reader { path, file: fs::File::open(path).map_err(io)?, size: metadata.len() };
    let magic = reader.read("header", 0, metadata.len().min(5))?;
    match magic.as_slice() {
        [0x7f, b'E', b'L', b'F', 1] => section_of::<FileHeader32<Endianness>>(&mut reader),
        [0x7f, b'E', b'L', b'F', ..] => section_of::<FileHeader64<Endianness>>(&mut reader),
        _ => Err(FileFault::begins_with(path, &magic)),
    }
}

fn section_of<H: FileHeader<Endian = Endianness>>(reader: &mut Reader<'_>) -> Result<Option<Vec<u8>>, FileFault> {
    let bytes = reader.read("header", 0, size_of::<H>() as u64)?;
    let header = H::parse(bytes.as_slice()).map_err(|error| reader.not(error.to_string()))?;
    let endian = header.endian().map_err(|error| reader.not(error.to_string()))?;
    let entry = size_of::<H::SectionHeader>() as u64;
    let (at, count) = (header.e_shoff(endian).into(), u64::from(header.e_shnum(endian)));
    if at == 0 || u64::from(header.e_shentsize(endian)) != entry {
        return Ok(None);
    }
    let table = reader.read("table of sections", at, count * entry)?;
    let table = pod::slice_from_all_bytes::<H::SectionHeader>(&table);
    let table = table.map_err(|()| reader.not("a table of sections that cannot be read".into()))?;
    let Some(names) = table.get(usize::from(header.e_shstrndx(endian).0)) else { return Ok(None) };
    let names = reader.read("names of sections", names.sh_offset(endian).into(), names.sh_size(endian).into())?;
    let is_it = |section: &&H::SectionHeader| {
        let name = names.get(section.sh_name(endian) as usize..).unwrap_or_default();
        name.split(|byte| *byte == 0).next() == Some(SECTION.as_bytes())
    };
    let Some(section) = table.iter().find(is_it) else { return Ok(None) };
    reader.read("record", section.sh_offset(endian).into(), section.sh_size(endian).into()).map(Some)
}
