//! Files, trees, and what they include.

use super::*;

/// Writes these files; those in folders that are not there with their folders.
fn written(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

const DIRECTOR: &str = "Director { Name = dir; Password = pw }\n";

fn loaded(path: &Path) -> Loaded<FileConfig> {
    load(path).unwrap_or_else(|report| panic!("{report}"))
}

fn wrong(path: &Path) -> Diagnostic {
    match examine::<FileConfig>(path) {
        Ok(loaded) => panic!("{:?} is good", loaded.path),
        Err(mut report) => report.diagnostics.remove(0),
    }
}

#[test]
fn a_tree_a_file_and_ron_are_told_apart_by_what_is_there() {
    let client = "Client { Name = web-fd }\n";
    let tree = written(&[("bareos-fd.d/client/me.conf", client), ("bareos-fd.d/director/dir.conf", DIRECTOR)]);
    assert_eq!(loaded(tree.path()).config.file.name, "web-fd");
    let both = written(&[("bareos-fd.conf", &format!("{client}{DIRECTOR}")), ("bareos-fd.d/client/me.conf", "broken")]);
    assert_eq!(loaded(both.path()).config.file.name, "web-fd");
    // A file of any name is read by how it begins.
    let ron = "// conf?\n(file: (name: \"ron-fd\"), directors: [(name: \"dir\", password: \"pw\")])";
    let other = written(&[("a.txt", &format!("# c\n{client}{DIRECTOR}")), ("b.conf", ron), ("file-daemon.ron", ron)]);
    assert_eq!(loaded(&other.path().join("a.txt")).config.file.name, "web-fd");
    assert_eq!(loaded(&other.path().join("b.conf")).config.file.name, "ron-fd");
    assert_eq!(loaded(other.path()).config.file.name, "ron-fd");
    // Relative names start at the folder.
    assert_eq!(loaded(tree.path()).resolve("x"), tree.path().join("x"));
    assert_eq!(loaded(other.path()).resolve("x"), other.path().join("x"));
}

#[test]
fn a_folder_with_nothing_or_with_both_says_what_belongs_there() {
    let empty = written(&[("other.conf", ""), ("bareos-fd.d/client/readme.txt", "")]);
    let found = wrong(empty.path());
    assert_eq!(found.code, codes::NO_CONFIGURATION);
    assert!(found.help.contains("file-daemon.ron, bareos-fd.conf or bareos-fd.d/*/*.conf"), "{found:?}");
    let both = written(&[("file-daemon.ron", "()"), ("bareos-fd.conf", "")]);
    assert_eq!(wrong(both.path()).code, codes::NO_CONFIGURATION);
}

#[test]
fn findings_name_the_file_they_are_in() {
    let tree = written(&[
        ("bareos-fd.d/client/me.conf", "Client {\n  Name = web-fd\n  Prot = 1\n}\n"),
        ("bareos-fd.d/director/dir.conf", "\nDirector { Name = dir; Password = \"\" }\n"),
    ]);
    let report = load::<FileConfig>(tree.path()).unwrap_err();
    let found = report.diagnostics.iter().find(|found| found.code == codes::UNKNOWN_DIRECTIVE).unwrap();
    assert!(found.file.ends_with("client/me.conf") && (found.line, found.column) == (3, 3), "{report}");
    assert!(report.render(false).contains("client/me.conf:3:3"), "{report}");
    let good = written(&[
        ("bareos-fd.d/client/me.conf", "Client {\n  Name = web-fd\n}\n"),
        ("bareos-fd.d/director/dir.conf", "\nDirector { Name = dir; Password = \"\" }\n"),
    ]);
    let loaded = examine::<FileConfig>(good.path()).unwrap();
    let found = &loaded.warnings.diagnostics[0];
    assert!(found.file.ends_with("director/dir.conf") && (found.line, found.column) == (2, 35), "{found:?}");
    assert_eq!(found.code, codes::BAD_PASSWORD);
    let place = loaded.locate(&ConfigPath::of("file").field("port"));
    assert_eq!(loaded.report().sources()[place.source].text.get(place.range), Some("web-fd"));
}

#[test]
fn files_and_commands_are_included_where_they_are_named() {
    let folder = written(&[
        ("pw", "\"a secret\"\n"),
        ("more/b.conf", DIRECTOR),
        ("more/c.conf", "Director { Name = c; Password = x }\n"),
    ]);
    let at = folder.path().display();
    let main = format!(
        "Client {{ Name = web-fd; }}\n@{at}/more/*.conf\n@{at}/none/*.conf\n\
         Director {{ Name = own; Password = @{at}/pw\n}}\n@|\"printf 'Director {{ Name = %s; Password = p }}' cmd\"\n"
    );
    std::fs::write(folder.path().join("main.conf"), main).unwrap();
    let config = loaded(&folder.path().join("main.conf")).config;
    let names: Vec<_> = config.directors.iter().map(|director| director.name.as_str()).collect();
    // As in Bareos, the last of the alphabet first.
    assert_eq!(names, ["c", "dir", "own", "cmd"]);
    assert_eq!(config.directors[2].password, Password::new("a secret"));
}

#[test]
fn includes_that_lead_nowhere_or_in_a_circle_are_shown_where_they_stand() {
    let folder = written(&[("a.conf", ""), ("b.conf", "")]);
    let (a, b) = (folder.path().join("a.conf"), folder.path().join("b.conf"));
    let write = |text: String| std::fs::write(&a, text).unwrap();
    write(format!("Client {{\n @{}/gone.conf\n}}", folder.path().display()));
    let found = wrong(&a);
    assert_eq!((found.code, found.line, found.column), (codes::MISSING_INCLUDE, 2, 2));
    assert!(found.message.contains("gone.conf"), "{found:?}");
    write(format!("\n@{}\n", b.display()));
    std::fs::write(&b, format!("# x\n\n  @{}\n", a.display())).unwrap();
    let found = wrong(&a);
    assert_eq!((found.code, found.line, found.column), (codes::RECURSIVE_INCLUDE, 3, 3));
    assert!(found.file.ends_with("b.conf"), "{found:?}");
    write("@|\"sh -c 'exit 3'\"".to_owned());
    let found = wrong(&a);
    assert_eq!((found.code, found.line), (codes::FAILED_INCLUDE, 1));
    assert!(found.message.contains("exit status: 3"), "{found:?}");
}

#[test]
fn includes_are_followed_so_deep_and_no_deeper() {
    let folder = written(&[]);
    let file = |n: usize| folder.path().join(format!("{n}.conf"));
    let chain = |length: usize| {
        for n in 1..length {
            std::fs::write(file(n), format!("@{}\n", file(n + 1).display())).unwrap();
        }
        std::fs::write(file(length), format!("Client {{ Name = web-fd }}\n{DIRECTOR}")).unwrap();
    };
    chain(include::MAX_DEPTH);
    assert_eq!(loaded(&file(1)).config.file.name, "web-fd");
    chain(include::MAX_DEPTH + 1);
    assert_eq!(wrong(&file(1)).code, codes::RECURSIVE_INCLUDE);
}

#[test]
fn text_that_is_not_utf8_is_shown_with_its_line() {
    let folder = written(&[]);
    let path = folder.path().join("latin.conf");
    std::fs::write(&path, b"Client {\n  Name = b\xfcro-fd\n}\n").unwrap();
    let found = wrong(&path);
    assert_eq!((found.code, found.line, found.column), (codes::UNREADABLE, 2, 11));
    assert!(found.help.contains("iconv"), "{found:?}");
}

#[test]
fn a_file_of_a_hundred_megabytes_is_refused_without_being_read() {
    let folder = written(&[]);
    let path = folder.path().join("large.conf");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(100_000_000).unwrap();
    assert_eq!(wrong(&path).code, codes::TOO_LARGE);
    // Many that are small enough are too much together.
    std::fs::write(&path, format!("# {}\n", "x".repeat((crate::config::MAX_FILE - 3) as usize))).unwrap();
    let each = format!("@{}\n", path.display());
    let most = include::MAX_TEXT / crate::config::MAX_FILE as usize;
    let all = folder.path().join("all.conf");
    std::fs::write(&all, format!("{}Client {{ Name = web-fd }}\n{DIRECTOR}", each.repeat(most - 1))).unwrap();
    assert_eq!(loaded(&all).config.file.name, "web-fd");
    std::fs::write(&all, format!("{}Client {{ Name = web-fd }}\n{DIRECTOR}", each.repeat(most))).unwrap();
    assert_eq!(wrong(&all).code, codes::TOO_LARGE);
}

#[test]
fn a_pipe_is_not_waited_for() {
    let folder = written(&[("a.conf", "")]);
    let (pipe, all) = (folder.path().join("pipe.conf"), folder.path().join("a.conf"));
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    std::fs::write(&all, format!("\n@{}\n", pipe.display())).unwrap();
    let found = wrong(&all);
    assert_eq!((found.code, found.line), (codes::MISSING_INCLUDE, 2));
    assert!(found.message.ends_with("it is a pipe"), "{found:?}");
    assert_eq!(wrong(&pipe).code, codes::UNREADABLE);
}

#[test]
fn a_text_of_too_many_words_and_one_of_too_many_faults_are_bounded() {
    let folder = written(&[]);
    let path = folder.path().join("large.conf");
    std::fs::write(&path, "\n{".repeat(include::MAX_TOKENS / 2 + 1)).unwrap();
    let found = wrong(&path);
    assert_eq!((found.code, found.line), (codes::TOO_LARGE, include::MAX_TOKENS / 2 + 1));
    let warnings = "Ver_Id = x; \n}\nClient {".repeat(1_500);
    let text = format!("Client {{ {warnings} {}", "Zork = 1\n".repeat(100_000));
    std::fs::write(&path, format!("{text}Name = {}\n}}\n", "x".repeat(10_000))).unwrap();
    let report = examine::<FileConfig>(&path).unwrap_err();
    assert!(report.has_errors() && report.diagnostics.len() == 2_000, "{}", report.diagnostics.len());
    assert_eq!(report.warnings(), 1_500);
    let shown = report.render(false);
    assert!(shown.contains("`Client` has no directive `Zork`") && shown.len() < 1_000_000, "{}", shown.len());
    let end = shown.lines().last().unwrap();
    assert!(end.starts_with("and ") && end.ends_with(" more errors, 500 more warnings"), "{end}");
}

#[test]
fn passwords_are_in_no_report() {
    let folder = written(&[("pw", "\"hunter2\"\n")]);
    let path = folder.path().join("a.conf");
    let texts = [
        "Director { Name = d; Password = hunter2; Colour = red }",
        "Director { Name = d; Password = \"hunter2\nColour = red",
        "Director { Name = d; pass word = \"hunter2\"; Colour = red }",
        "Director { Name = d; Fd_Password = hunter2 # was: password = hunter2\n; Colour = red }",
        "Storage { KeyEncryptionKey = hunter2; Pasword = \"hunter2\" \"hunter2\" }",
        "# Password = \"hunter2\"\nDirector { Colour = red",
    ];
    for text in texts {
        std::fs::write(&path, text).unwrap();
        let report = examine::<FileConfig>(&path).map_or_else(|report| report, |loaded| loaded.warnings);
        assert!(!report.is_empty());
        assert!(!report.render(false).contains("hunter2"), "{report}");
    }
    std::fs::write(&path, format!("Director {{ Name = d; Password = @{}/pw\nColour = red }}", folder.path().display()))
        .unwrap();
    let report = examine::<FileConfig>(&path).unwrap_err();
    assert!(!report.render(false).contains("hunter2"), "{report}");
}
