//! Landlock: which files can be named at all.

use std::{
    error::Error,
    fs::File,
    io,
    os::fd::AsFd,
    path::{Path, PathBuf},
};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus,
    PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope,
};

use super::Limits;

/// The programs that the child may start when its limits say so, in full.
pub const HELPERS: [&str; 5] = [
    "/usr/bin/pdftoppm",
    "/usr/bin/pdftotext",
    "/usr/bin/pdftohtml",
    "/usr/bin/pdfinfo",
    RECOGNISER,
];

/// That of the helpers that reads the text of pictures; it may be missing.
pub const RECOGNISER: &str = "/usr/bin/tesseract";

/// Where its languages are, on Debian and elsewhere.
pub const TESSDATA: [&str; 2] = ["/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tessdata"];

/// Where LibreOffice may be installed: Debian's packages, other distributions, The Document
/// Foundation's own. The first that is there is started, when the limits say so.
pub const OFFICES: [&str; 3] = [
    "/usr/lib/libreoffice/program/soffice.bin",
    "/usr/lib64/libreoffice/program/soffice.bin",
    "/opt/libreoffice/program/soffice.bin",
];

/// The folder in the scratch folder in which LibreOffice may make folders, and remove what is there:
/// its profile. The parent makes it, and measures all that is in it.
pub const OFFICE_FOLDER: &str = "office";

/// What LibreOffice reads besides.
const OFFICE_READABLE: [&str; 6] = [
    "/usr/share/libreoffice",
    "/etc/libreoffice",
    "/var/lib/libreoffice",
    "/var/spool/libreoffice",
    "/opt/libreoffice",
    "/dev/urandom",
];

/// The first ABI that keeps signals inside.
pub(super) const ABI_WITH_SIGNALS: u32 = 6;

/// The newest ABI whose rights were looked at here.
const KNOWN: ABI = ABI::V6;

/// The dynamic loader: it is executed in the kernel's eyes, the libraries are only read.
const LOADERS: [&str; 3] =
    ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-x86_64.so.1"];

/// What the helpers read besides the source: libraries, fonts, poppler's tables, languages.
const READABLE: [&str; 15] = [
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/etc/fonts",
    "/usr/share/fontconfig",
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/usr/share/poppler",
    "/usr/share/ghostscript",
    "/var/cache/fontconfig",
    TESSDATA[0],
    TESSDATA[1],
];

/// Closes the file system except `scratch`, standard input if it is a regular file, and what
/// the helpers, or the operator's program, need. Returns the ABI in force.
pub(super) fn restrict(scratch: &Path, limits: &Limits) -> io::Result<u32> {
    let rules = rules(scratch, limits).map_err(io::Error::other)?;
    let status = rules.restrict_self().map_err(io::Error::other)?;
    if status.ruleset == RulesetStatus::NotEnforced || !status.no_new_privs {
        return Err(io::ErrorKind::Unsupported.into());
    }
    match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => Ok(effective_abi as u32),
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

fn rules(scratch: &Path, limits: &Limits) -> Result<RulesetCreated, Box<dyn Error + Send + Sync>> {
    let mut rules = Ruleset::default()
        // Without these there is no layer; the rest is doubled by the list of system calls.
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .handle_access(AccessNet::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?
        .create()?
        .add_rule(PathBeneath::new(PathFd::new(scratch)?, scratch_rights()))?;
    if let Some(source) = regular_stdin() {
        rules = rules.add_rule(PathBeneath::new(source, AccessFs::ReadFile))?;
    }
    let helpers = HELPERS.iter().map(Path::new).filter(|_| limits.helpers);
    let program = limits.program.iter().map(PathBuf::as_path);
    if limits.helpers || limits.program.is_some() {
        rules = program_rules(rules, helpers.chain(program), &READABLE)?;
    }
    if limits.office {
        rules = program_rules(rules, OFFICES.iter().map(Path::new), &OFFICE_READABLE)?;
        let folder = PathFd::new(scratch.join(OFFICE_FOLDER))?;
        let own = AccessFs::MakeDir | AccessFs::RemoveDir | AccessFs::RemoveFile;
        rules = rules.add_rule(PathBeneath::new(folder, own))?;
    }
    let readable = limits.readable.iter().map(|path| (path.as_path(), library_rights()));
    Ok(add(rules, readable)?)
}

/// Reading and writing, but no execution, devices, sockets, pipes or symbolic links; and no
/// folders, and no names taken away: whoever measures the folder then sees all that is in it.
fn scratch_rights() -> BitFlags<AccessFs> {
    AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
}

fn library_rights() -> BitFlags<AccessFs> {
    AccessFs::ReadFile | AccessFs::ReadDir
}

/// `programs`, and what they need to run.
fn program_rules<'a>(
    rules: RulesetCreated,
    programs: impl Iterator<Item = &'a Path>,
    readable: &[&'static str],
) -> Result<RulesetCreated, RulesetError> {
    let null = AccessFs::ReadFile | AccessFs::WriteFile;
    let program = AccessFs::ReadFile | AccessFs::Execute;
    let programs = programs.chain(LOADERS.iter().map(Path::new)).map(|path| (path, program));
    let libraries = readable.iter().map(|path| (Path::new(*path), library_rights()));
    add(rules, programs.chain(libraries).chain([(Path::new("/dev/null"), null)]))
}

fn add<'a>(
    mut rules: RulesetCreated,
    paths: impl Iterator<Item = (&'a Path, BitFlags<AccessFs>)>,
) -> Result<RulesetCreated, RulesetError> {
    for (path, rights) in paths {
        // Not every system has all of them.
        let Ok(opened) = PathFd::new(path) else { continue };
        let rights = if path.is_dir() { rights } else { rights & !AccessFs::ReadDir };
        rules = rules.add_rule(PathBeneath::new(opened, rights))?;
    }
    Ok(rules)
}

/// Standard input when a rule can be tied to it: then a helper can open it by a name and has
/// its own position in it, and nothing needs to be copied.
fn regular_stdin() -> Option<impl AsFd> {
    let file = File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    file.metadata().ok()?.is_file().then_some(file)
}
