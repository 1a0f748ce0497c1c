//! What a job tells the plugins of its client: as its resource and who ordered it say, if that console may.

use serde_json::json;
use towline_core::catalog::memory::MemoryCatalog;

use super::desk::{Desk, FILE_PORT, STORAGE_PORT, config, errand};

#[test]
fn options_for_plugins_are_sent_one_after_the_other_those_of_the_console_first() {
    let mut config = config();
    config["jobs"][0]["fd_plugin_options"] = json!(["python:a=b c", "python:d=e"]);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    desk.world.await_dial(STORAGE_PORT, errand("storage", "sd-secret"));
    desk.world.await_dial(FILE_PORT, errand("file", "fd-secret"));
    let console = desk.console();
    desk.ask(console, "run job=backup-tiny pluginoptions=bpipe:x=y yes");
    let (sd, fd) = (console + 1, console + 2);
    let key = "DJFK-CCCF-FLNE-JBIH-NMCJ-NHGC-COAJ-PPMF";
    desk.world.say(sd, &format!("text 3000 OK Job SDid=1 SDtime=1795438888 Authorization={key}\\n"));
    desk.world.say(sd, "text 2000 OK SDSecureEraseCmd *None* \\n");
    for answer in ["2000 OK Job 26.0.0 (21Aug26) Debian GNU/Linux,debian", "2000 OK level\\n"] {
        desk.world.say(fd, &format!("text {answer}"));
    }
    desk.world.heard(fd);
    desk.world.say(fd, "text 2000 OK include\\n");
    for options in ["bpipe:x=y", "python:a=b\\x01c", "python:d=e"] {
        assert_eq!(desk.world.heard(fd), [format!("text pluginoptions {options}\\n")]);
        desk.world.say(fd, "text 2000 OK PluginOptions\\n");
    }
    assert_eq!(desk.world.heard(fd), ["text getSecureEraseCmd\\n"]);
    // Those that the client refuses fail the job.
    let mut desk = Desk::with(
        {
            let mut config = super::desk::config();
            config["jobs"][0]["fd_plugin_options"] = json!(["python:a=b"]);
            config
        },
        MemoryCatalog::default(),
    );
    let (_, _, fd) = desk.lead(5);
    desk.world.say(fd, "text 2905 Bad PluginOptions command.\\n");
    assert_eq!(desk.status(1), 'f');
    assert!(desk.report(1).contains("options for a plugin"), "{}", desk.report(1));
}

#[test]
fn a_console_has_plugins_told_only_what_its_list_allows() {
    let mut config = config();
    config["profiles"][0]["plugin_options_acl"] = json!(["bpipe:.*"]);
    let mut desk = Desk::with(config, MemoryCatalog::default());
    let admin = desk.come_in("admin", "admin-secret");
    let answer = desk.ask(admin, "run job=backup-tiny pluginoptions=python:x=y yes").concat();
    assert!(answer.contains("pluginoptions=python:x=y: not authorized."), "{answer}");
    let answer = desk.ask(admin, "run job=backup-tiny pluginoptions=bpipe:x=y yes").concat();
    assert!(answer.contains("Job queued. JobId=1"), "{answer}");
}
