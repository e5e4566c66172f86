//! The profile that LibreOffice is started with: nothing runs, nothing is fetched.

use std::fs;
use std::path::Path;

use super::{Error, cannot};

/// Path, name and value of settings, as in LibreOffice's registry schema (officecfg).
const SETTINGS: [(&str, &str, &str); 9] = [
    // 3: only from trusted folders, of which there are none.
    ("Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    // Links: 0 is never in Writer, 1 in Calc.
    ("Writer/Content/Update", "Link", "0"),
    ("Calc/Content/Update", "Link", "1"),
    ("Common/Load", "UserDefinedSettings", "false"),
    ("Common/Save/Document", "CreateBackup", "false"),
    ("Common/Misc", "CrashReport", "false"),
    ("Common/Misc", "FirstRun", "false"),
];

/// Writes it into `folder`, for the LibreOffice at `program`.
///
/// # Errors
///
/// [`Error::Io`].
pub(super) fn write(folder: &Path, program: &Path) -> Result<(), Error> {
    let items: String = SETTINGS
        .iter()
        .map(|(path, name, value)| {
            format!(
                "<item oor:path=\"/org.openoffice.Office.{path}\"><prop oor:name=\"{name}\" \
                 oor:op=\"fuse\"><value>{value}</value></prop></item>\n"
            )
        })
        .collect();
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <oor:items xmlns:oor=\"http://openoffice.org/2001/registry\" \
         xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n{items}</oor:items>\n"
    );
    let user = folder.join("user");
    fs::create_dir(&user).map_err(cannot("make the profile of LibreOffice"))?;
    fs::write(user.join("registrymodifications.xcu"), text)
        .map_err(cannot("make the profile of LibreOffice"))?;
    match build(program) {
        Some(build) => mark(&user.join("extensions"), &build),
        // It marks the profile itself and asks to be started again.
        None => Ok(()),
    }
}

/// Says which build the profile's extensions, of which there are none, were looked through by. In
/// a profile that says another or none, LibreOffice clears them away and wants to be started again
/// (`cleanExtensionCache` in its desktop/source/app/app.cxx).
fn mark(extensions: &Path, build: &str) -> Result<(), Error> {
    fs::create_dir(extensions)
        .and_then(|()| fs::write(extensions.join("buildid"), build))
        .map_err(cannot("make the profile of LibreOffice"))
}

/// What the LibreOffice at `program` says in the file beside it that it is.
fn build(program: &Path) -> Option<String> {
    let version = fs::read_to_string(program.with_file_name("versionrc")).ok()?;
    let build = version.lines().find_map(|line| line.strip_prefix("buildid="))?.trim();
    (!build.is_empty()).then(|| build.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_says_which_build_it_is_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("soffice.bin");
        let profile = |name: &str| {
            let home = folder.path().join(name);
            fs::create_dir(&home).expect("made");
            write(&home, &program).expect("written");
            fs::read_to_string(home.join("user/extensions/buildid")).ok()
        };
        assert_eq!(profile("unknown"), None);
        let version = "[Version]\nVendor=x\nbuildid=40(Build:2)\n";
        fs::write(folder.path().join("versionrc"), version).expect("written");
        assert_eq!(profile("known").as_deref(), Some("40(Build:2)"));
    }
}
