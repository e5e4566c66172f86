//! Landlock: which files can be named at all.

use std::{error::Error, fs::File, io, os::fd::AsFd, path::Path};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus,
    PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope,
};

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
/// the helpers need. Returns the ABI in force.
pub(super) fn restrict(scratch: &Path, helpers: bool) -> io::Result<u32> {
    let rules = rules(scratch, helpers).map_err(io::Error::other)?;
    let status = rules.restrict_self().map_err(io::Error::other)?;
    if status.ruleset == RulesetStatus::NotEnforced || !status.no_new_privs {
        return Err(io::ErrorKind::Unsupported.into());
    }
    match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => Ok(effective_abi as u32),
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

fn rules(scratch: &Path, helpers: bool) -> Result<RulesetCreated, Box<dyn Error + Send + Sync>> {
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
    if helpers {
        rules = helper_rules(rules)?;
    }
    Ok(rules)
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

fn helper_rules(mut rules: RulesetCreated) -> Result<RulesetCreated, RulesetError> {
    let null = AccessFs::ReadFile | AccessFs::WriteFile;
    let library = AccessFs::ReadFile | AccessFs::ReadDir;
    let program = AccessFs::ReadFile | AccessFs::Execute;
    let programs = HELPERS.iter().chain(&LOADERS).map(|path| (*path, program));
    let libraries = READABLE.iter().map(|path| (*path, library));
    for (path, rights) in programs.chain(libraries).chain([("/dev/null", null)]) {
        // Not every system has all of them.
        let Ok(opened) = PathFd::new(path) else { continue };
        let rights = if Path::new(path).is_dir() { rights } else { rights & !AccessFs::ReadDir };
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
