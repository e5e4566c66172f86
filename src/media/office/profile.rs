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

/// Writes it into `folder`.
///
/// # Errors
///
/// [`Error::Io`].
pub(super) fn write(folder: &Path) -> Result<(), Error> {
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
        .map_err(cannot("make the profile of LibreOffice"))
}
