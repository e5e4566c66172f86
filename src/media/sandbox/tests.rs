//! Each test forks, walls the new process in, and reads what it says through a pipe: landlock
//! and seccomp hold for one thread and can never be taken off again.

#![expect(unsafe_code, reason = "fork")]

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::{
        fd::{AsFd, AsRawFd},
        unix::{fs::OpenOptionsExt, process::CommandExt},
    },
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{Layers, Limits, OFFICE_FOLDER, enter, keep_alone};
use crate::media::{
    document,
    selftest::{Attempt, escape_attempts},
};

/// What `work` says in a process of its own, inside the sandbox, in its scratch folder, with
/// `source` as standard input. None when the process did not end well.
fn inside(limits: &Limits, source: &Path, work: fn(Layers) -> String) -> Option<String> {
    apart(source, |scratch| work(enter(scratch, limits).unwrap()))
}

/// The same without the sandbox.
fn apart(source: &Path, work: impl FnOnce(&Path) -> String) -> Option<String> {
    let scratch = tempfile::tempdir().unwrap();
    let source = File::open(source).unwrap();
    let (mut answer, mut say) = std::io::pipe().unwrap();
    // SAFETY: the child runs `work` in a copy of this one thread and leaves by _exit.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        let done = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: standard input of this copy is not used by anything else.
            unsafe { libc::dup2(source.as_raw_fd(), 0) };
            std::env::set_current_dir(scratch.path()).unwrap();
            say.write_all(work(scratch.path()).as_bytes()).unwrap();
        }));
        // SAFETY: leaves without running the harness's own end.
        unsafe { libc::_exit(i32::from(done.is_err())) };
    }
    drop(say);
    let mut said = String::new();
    answer.read_to_string(&mut said).unwrap();
    let mut status = 0;
    // SAFETY: waits for the child made above.
    unsafe { libc::waitpid(child, &raw mut status, 0) };
    (status == 0).then_some(said)
}

/// A file to be the source: this very text.
fn this_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")
}

/// Enough for the copy of this test process that the sandboxed one is.
fn small() -> Limits {
    Limits { memory_bytes: 1 << 30, output_bytes: 1 << 20, ..Limits::default() }
}

fn open_ways() -> String {
    let open = |attempt: &Attempt| (!attempt.refused).then_some(attempt.name);
    let attempts = escape_attempts();
    assert!(attempts.len() > 50);
    attempts.iter().filter_map(open).collect::<Vec<_>>().join(", ")
}

#[test]
fn every_layer_holds() {
    let said = inside(&small(), &this_file(), |layers| serde_json::to_string(&layers).unwrap());
    let layers: serde_json::Value = serde_json::from_str(&said.unwrap()).unwrap();
    assert!(layers["landlock_abi"].as_u64().unwrap() >= 1);
    assert_eq!(layers["seccomp"], true);
    assert_eq!(layers["limits"], true);
    assert_eq!(layers["unprivileged"], true);
}

#[test]
fn there_is_no_way_out() {
    assert_eq!(inside(&small(), &this_file(), |_| open_ways()).unwrap(), "");
}

#[test]
fn with_helpers_there_is_no_way_out_either() {
    let limits = Limits { helpers: true, ..small() };
    assert_eq!(inside(&limits, &this_file(), |_| open_ways()).unwrap(), "");
}

#[test]
fn with_a_program_of_the_operator_there_is_no_way_out_either() {
    let limits = Limits { program: Some("/usr/bin/pdfinfo".into()), ..small() };
    assert_eq!(inside(&limits, &this_file(), |_| open_ways()).unwrap(), "");
}

#[test]
fn only_the_program_that_the_operator_named_can_be_started() {
    let readable = vec![this_file()];
    let limits = Limits { program: Some("/usr/bin/pdfinfo".into()), readable, ..small() };
    let said = inside(&limits, &this_file(), |_| {
        let starts = |path: &str| Command::new(path).arg("-v").env_clear().output().is_ok();
        let model = this_file();
        let beside = model.with_file_name("Cargo.lock");
        let ways = [
            starts("/usr/bin/pdfinfo"),
            starts("/usr/bin/pdftotext"),
            starts("/bin/sh"),
            File::open(&model).is_ok(),
            fs::OpenOptions::new().append(true).open(&model).is_ok(),
            File::open(beside).is_ok(),
        ];
        format!("{ways:?}")
    });
    assert_eq!(said.unwrap(), "[true, false, false, true, false, false]");
}

#[test]
fn with_office_there_is_a_socket_that_nobody_can_be_reached_by() {
    let said = apart(&this_file(), |scratch| {
        fs::create_dir(scratch.join(OFFICE_FOLDER)).unwrap();
        let limits = Limits { helpers: true, office: true, ..small() };
        enter(scratch, &limits).unwrap();
        fs::write("a", "x").unwrap();
        let ways = [
            fs::remove_file("a").is_ok(),
            fs::rename("a", "office/a").is_ok(),
            fs::create_dir("folder").is_ok(),
            std::os::unix::net::UnixListener::bind("office/s").is_ok(),
            std::os::unix::net::UnixStream::connect("/run/dbus/system_bus_socket").is_ok(),
        ];
        let own = fs::create_dir("office/b").is_ok() && fs::remove_dir("office/b").is_ok();
        format!("{ways:?} {own} {}", open_ways())
    });
    let [no, yes] = ["[false, false, false, false, false]", "true"];
    assert_eq!(said.unwrap(), format!("{no} {yes} unix socket"));
}

#[test]
fn outside_most_ways_are_open() {
    // The attempts are worth something only if they succeed where nothing is shut.
    let open = apart(&this_file(), |_| {
        let attempts = escape_attempts();
        attempts.iter().filter(|attempt| !attempt.refused).count().to_string()
    });
    let open: usize = open.unwrap().parse().unwrap();
    assert!(open >= 20, "{open}");
}

#[test]
fn scratch_and_the_source_can_be_used() {
    let said = inside(&small(), &this_file(), |_| {
        fs::write("a", "written").unwrap();
        let source = fs::read_to_string("/proc/self/fd/0").unwrap();
        format!("{} {}", fs::read_to_string("a").unwrap(), source.contains("[package]"))
    });
    assert_eq!(said.unwrap(), "written true");
}

#[test]
fn nothing_in_scratch_can_be_hidden_from_who_measures_it() {
    let said = inside(&small(), &this_file(), |_| {
        fs::write("a", "x").unwrap();
        let unnamed = fs::OpenOptions::new().write(true).custom_flags(libc::O_TMPFILE).open(".");
        let ways = [
            fs::remove_file("a").is_ok(),
            fs::rename("a", "b").is_ok(),
            fs::create_dir("folder").is_ok(),
            unnamed.is_ok(),
        ];
        format!("{ways:?}")
    });
    assert_eq!(said.unwrap(), "[false, false, false, false]");
}

#[test]
fn a_helper_can_start_nothing() {
    let limits = Limits { helpers: true, ..Limits::default() };
    let said = inside(&limits, &this_file(), |_| {
        let mut command = Command::new("/usr/bin/pdfinfo");
        command.arg("-v").stderr(Stdio::piped()).env_clear();
        keep_alone(&mut command).unwrap();
        // SAFETY: forks, which is what is being tried; the copy leaves at once.
        let fork = || unsafe {
            let copy = libc::fork();
            if copy == 0 {
                libc::_exit(0);
            }
            if copy < 0 { Ok(()) } else { Err(std::io::ErrorKind::Other.into()) }
        };
        // SAFETY: see above.
        unsafe { command.pre_exec(fork) };
        let output = command.output().unwrap();
        String::from_utf8_lossy(&output.stderr).into_owned()
    });
    assert!(said.as_ref().unwrap().starts_with("pdfinfo version"), "{said:?}");
}

#[test]
fn the_source_cannot_be_written() {
    let said = inside(&small(), &this_file(), |_| {
        fs::OpenOptions::new().write(true).open("/proc/self/fd/0").is_err().to_string()
    });
    assert_eq!(said.unwrap(), "true");
}

#[test]
fn threads_work_and_processors_are_counted() {
    let said = inside(&small(), &this_file(), |_| {
        let threads: Vec<_> =
            (0..32_u32).map(|n| std::thread::spawn(move || vec![n; 1 << 16].len())).collect();
        let sum: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        format!("{sum} {}", std::thread::available_parallelism().is_ok())
    });
    assert_eq!(said.unwrap(), format!("{} true", 32 << 16));
}

#[test]
fn a_helper_reads_the_source_and_nothing_else() {
    let limits = Limits { helpers: true, ..Limits::default() };
    let said = inside(&limits, &this_file(), |_| {
        let run = |path: &str| {
            let output = Command::new("/usr/bin/pdfinfo")
                .arg(path)
                .stdin(Stdio::inherit())
                .env_clear()
                .output()
                .unwrap();
            String::from_utf8_lossy(&output.stderr).into_owned()
        };
        // The first one is read and found to be no document, the second cannot be opened.
        format!("{}|{}", run("/proc/self/fd/0"), run("/etc/passwd"))
    });
    let said = said.unwrap();
    let (own, other) = said.split_once('|').unwrap();
    assert!(own.contains("May not be a PDF"), "{own}");
    assert!(other.contains("Couldn't open file"), "{other}");
}

#[test]
fn too_much_memory_ends_the_child_only() {
    let said = inside(&small(), &this_file(), |_| {
        let mut much: Vec<u8> = Vec::new();
        much.try_reserve_exact(2 << 30).is_err().to_string()
    });
    assert_eq!(said.unwrap(), "true");
}

#[test]
fn too_much_computing_ends_the_child_only() {
    let limits = Limits { cpu_seconds: 1, ..small() };
    let said = inside(&limits, &this_file(), |_| {
        loop {
            std::hint::spin_loop();
        }
    });
    assert_eq!(said, None);
}

#[test]
fn a_second_thread_would_stay_outside() {
    let (stop, wait) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || wait.recv());
    let scratch = tempfile::tempdir().unwrap();
    let refused = enter(scratch.path(), &Limits::default());
    assert!(matches!(refused, Err(super::Error::Threads(many)) if many > 1));
    drop(stop);
    assert!(other.join().unwrap().is_err());
}

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/media").join(name);
    path.exists().then_some(path)
}

#[test]
fn a_picture_is_decoded_and_encoded_inside() {
    let said = inside(&Limits::default(), &this_file(), |_| {
        let rgb = (0..300 * 200 * 3_u32).map(|n| n.to_le_bytes()[0]).collect();
        let picture = transcode::picture::Picture::new(300, 200, rgb).unwrap();
        fs::write("a.webp", picture.to_webp(80).unwrap()).unwrap();
        fs::write("a.jpg", picture.to_jpeg(80).unwrap()).unwrap();
        let decode = |name| transcode::picture::decode(File::open(name).unwrap()).unwrap().width;
        format!("{} {}", decode("a.webp"), decode("a.jpg"))
    });
    assert_eq!(said.unwrap(), "300 300");
}

#[test]
fn a_source_picture_is_decoded_from_standard_input() {
    let Some(source) = shared("image/london.jpg") else { return };
    let said = inside(&Limits::default(), &source, |_| {
        let source = File::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap());
        transcode::picture::decode(source).unwrap().width.to_string()
    });
    assert!(said.unwrap().parse::<u32>().unwrap() > 100);
}

#[test]
fn a_document_is_read_and_drawn_inside() {
    let Some(source) = shared("derived/maint-guide-linearized.zh-cn.pdf") else { return };
    let limits = Limits { helpers: true, ..Limits::default() };
    let said = inside(&limits, &source, |_| {
        let source = File::from(std::io::stdin().as_fd().try_clone_to_owned().unwrap());
        let document = document::inspect(&source, document::MAX_PAGES).unwrap();
        let texts = document::text(&source, &document, 9..=10).unwrap();
        let mut files = 0;
        let here = Path::new(".");
        document::render(&source, here, &document, 9..=10, &mut |page| files += page.files.len())
            .unwrap();
        let written = fs::read_dir(here).unwrap().count();
        let outline = document.outline.len() > 10;
        format!("{} {outline} {} {files} {written}", document.pages, texts[1].words.len() > 50)
    });
    assert_eq!(said.unwrap(), "63 true true 4 4");
}
