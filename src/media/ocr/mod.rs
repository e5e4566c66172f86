//! Text in pictures: pages that were scanned, photographs, slides.
//!
//! tesseract reads them, one short run for each picture, inside the sandbox of the process that
//! calls this (`sandbox` with `helpers`). The picture lies in the scratch folder, as grey pixels and
//! nothing else, so that none of the formats that tesseract knows is ever read. What it answers is
//! untrusted: bounded, parsed strictly, and a picture that takes too long only has no text.
//!
//! Another recogniser takes tesseract's place by being one of the helpers that answers in the same
//! table of words (`tsv`).

mod grey;
mod tsv;

use std::{
    fs::File,
    io::{Seek as _, Write as _},
    path::Path,
    time::Duration,
};

use serde::{Deserialize, Serialize};

pub use self::grey::Grey;
use super::{
    document::{Error, PageText, cannot, helper},
    sandbox::{RECOGNISER, TESSDATA},
};

/// The name of the picture that is read, in the scratch folder.
const PICTURE: &str = "ocr.pgm";

/// The most that tesseract says of one picture, bytes.
const BYTES: u64 = 16 << 20;

/// How pictures are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Names of tesseract's languages, the most likely first.
    pub languages: Vec<String>,
    /// At what resolution pages are drawn to be read.
    pub dpi: u32,
    /// How long one picture may take, milliseconds.
    pub page_ms: u64,
}

impl Options {
    /// The same, with those languages only that are installed; `None` where there is no recogniser,
    /// or none of the languages.
    #[must_use]
    pub fn installed(&self) -> Option<Self> {
        let installed = |language: &&String| {
            let file = format!("{language}.traineddata");
            TESSDATA.iter().any(|folder| Path::new(folder).join(&file).exists())
        };
        let languages: Vec<_> = self.languages.iter().filter(installed).cloned().collect();
        (Path::new(RECOGNISER).exists() && !languages.is_empty())
            .then(|| Self { languages, ..self.clone() })
    }
}

/// Reads the text of a picture; `scratch` is where it may be written meanwhile.
///
/// # Errors
///
/// [`Error::Timeout`], and [`Error::Helper`] and [`Error::Io`] when nothing can be read here at all.
pub fn read(picture: &Grey, scratch: &Path, options: &Options) -> Result<PageText, Error> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(scratch.join(PICTURE))
        .map_err(cannot("write a picture to be read"))?;
    picture
        .write(&mut file)
        .and_then(|()| file.rewind())
        .map_err(cannot("write a picture to be read"))?;
    let languages = options.languages.join("+");
    let dpi = options.dpi.to_string();
    let arguments = ["-l", &languages, "--psm", "3", "--dpi", &dpi, "-c", "tessedit_create_tsv=1"];
    let time = Duration::from_millis(options.page_ms);
    let answer = helper::run(helper::Program::Recognise, &arguments, &file, time, BYTES);
    // It is of no more use, and counts as output while it is there.
    file.set_len(0).and_then(|()| file.flush()).map_err(cannot("empty a picture that was read"))?;
    Ok(tsv::parse(&answer?.text(), (picture.width, picture.height)))
}
