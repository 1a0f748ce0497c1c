//! The director: jobs with their defaults, filesets, schedules, pools, consoles, catalogs.

use super::*;
use towline_core::config::{Access, Counter};

fn job(more: &str) -> (towline_core::config::Job, Report) {
    let (config, report) = good::<DirectorConfig>(&director(more));
    (config.jobs.into_iter().next().unwrap(), report)
}

#[test]
fn a_director_has_all_its_resources() {
    let (config, warnings) =
        good::<DirectorConfig>(&director(" Schedule = Weekly; Level = Full; Accurate = yes\n Priority = 5"));
    let job = &config.jobs[0];
    assert_eq!((job.kind, job.level, job.accurate, job.priority), (JobKind::Backup, Level::Full, true, 5));
    assert_eq!((job.schedule.as_deref(), job.pool.as_str(), job.storage.as_str()), (Some("Weekly"), "Inc", "File"));
    assert_eq!(config.storages[0].device, "dev");
    // Nobody asked for more at once.
    assert_eq!(config.director.maximum_concurrent_jobs, 1);
    let Catalog::Postgres(postgres) = &config.catalog else { panic!("{:?}", config.catalog) };
    assert_eq!((postgres.database.as_str(), postgres.user.as_str(), &postgres.password), ("bareos", "bareos", &None));
    assert!(warnings.is_empty(), "{warnings}");
}

#[test]
fn a_job_has_from_its_defaults_what_it_does_not_say() {
    let text = director(" JobDefs = Nightly\n Maximum Concurrent Jobs = 3").replace("Type = Backup; ", "")
        + r#"
JobDefs { Name = Base; Type = Backup; Priority = 7; Where = /tmp; Replace = IfNewer; Maximum Concurrent Jobs = 9 }
JobDefs { Name = Nightly; JobDefs = Base; Priority = 8; Level = Differential; Description = "x" }
"#;
    let report = report::<DirectorConfig>(&text);
    let (config, ..) = read::<DirectorConfig>(&text).unwrap();
    let job = &config.jobs[0];
    assert_eq!((job.name.as_str(), job.kind, job.level), ("b", JobKind::Backup, Level::Differential));
    assert_eq!((job.priority, job.maximum_concurrent_jobs), (8, 3));
    assert_eq!((job.r#where.as_deref(), job.replace), (Some("/tmp"), Replace::IfNewer));
    assert_eq!(job.description.as_deref(), Some("x"));
    // What is wrong with it is shown where it stands.
    assert_eq!(found(&report), [(codes::CONTRADICTION, 16, 61), (codes::CONTRADICTION, 16, 77)], "{report}");
}

#[test]
fn what_a_job_would_need_and_there_is_not_disables_it() {
    let (plugins, report) = job(" SD Plugin Options = \"python:x\"");
    assert!(!plugins.enabled);
    assert_eq!(found(&report), [(codes::DISABLED, 12, 2)]);
    assert!(!job(" Enabled = no").0.enabled);
    let set = director("").replace("File = /home", "File = /home\n Options { Encryption = aes128 }");
    let (config, report) = good::<DirectorConfig>(&set);
    assert!(!config.jobs[0].enabled);
    assert_eq!(found(&report), [(codes::DISABLED, 5, 12)]);
}

#[test]
fn always_incremental_jobs_virtual_fulls_and_consolidations_are_read() {
    let more = " Accurate = yes; Always Incremental = yes; Always Incremental Job Retention = 7 days
 Always Incremental Keep Number = 5; Always Incremental Max Full Age = 60 days; Next Pool = Full";
    let text = director(more).replace("Pool { Name = Full }", "Pool { Name = Full; Storage = File }")
        + "Job { Name = consolidate; Type = Consolidate; Max Full Consolidations = 2; Accurate = yes; Messages = Standard }\n\
           Job { Name = virtual; Type = Backup; Level = VirtualFull; Client = fd; FileSet = Set; Storage = File; Pool = Inc\n\
           Virtual Full Backup Pool = Inc; Next Pool = Full; Max Virtual Full Interval = 30 days; Messages = Standard }\n\
           Schedule { Name = Monthly; Run = Level=VirtualFull VirtualFullPool=Inc 1st sat at 21:00 }";
    let (config, report) = good::<DirectorConfig>(&text);
    assert_eq!(found(&report), [], "{report}");
    let [job, consolidate, other] = &config.jobs[..] else { panic!("{:?}", config.jobs) };
    assert!(job.always_incremental && job.accurate);
    let times = (job.always_incremental_job_retention, job.always_incremental_max_full_age);
    assert_eq!((times.0.0, times.1.0, job.always_incremental_keep_number), (7 * 86_400, 60 * 86_400, 5));
    assert_eq!((consolidate.kind, consolidate.max_full_consolidations), (JobKind::Consolidate, 2));
    assert_eq!((consolidate.client.as_str(), consolidate.pool.as_str()), ("fd", "Full"));
    assert_eq!((other.level, other.max_virtual_full_interval.0), (Level::VirtualFull, 30 * 86_400));
    assert_eq!(other.virtual_full_pool.as_deref(), Some("Inc"));
    let run = &config.schedules[1].runs[0];
    assert_eq!((run.level, run.virtual_full_pool.as_deref()), (Some(Level::VirtualFull), Some("Inc")));
}

#[test]
fn what_is_switched_off_takes_its_jobs_along() {
    let of = |old: &str, new: &str| good::<DirectorConfig>(&director(" Schedule = Weekly").replace(old, new)).0;
    assert!(!of("Password = p1", "Password = p1; Enabled = no").jobs[0].enabled);
    assert!(!of("Password = p2", "Password = p2; Enabled = no").jobs[0].enabled);
    let config = of("Name = Weekly;", "Name = Weekly; Enabled = no;");
    assert_eq!((config.jobs[0].enabled, &config.jobs[0].schedule), (true, &None));
}

#[test]
fn jobs_of_kinds_that_there_are_not_are_left_out() {
    for (old, new) in [
        ("Type = Backup", "Type = Archive"),
        ("Type = Backup", "Type = Verify; Level = Data"),
        ("Type = Backup", "Type = Backup; Level = Base"),
    ] {
        let (config, report) = good::<DirectorConfig>(&director("").replace(old, new));
        assert!(config.jobs.is_empty());
        assert_eq!(found(&report), [(codes::DISABLED, 11, 9)], "{new}");
    }
    let (config, _) =
        good::<DirectorConfig>(&director("").replace("Type = Backup", "Type = Verify; Level = VolumeToCatalog"));
    assert_eq!(config.jobs[0].kind, JobKind::Verify);
}

#[test]
fn each_level_has_its_pool_and_one_of_them_is_that_of_a_job_without() {
    let (job, report) = job(" Full Backup Pool = Full\n Incremental Backup Pool = Inc\n Next Pool = Full");
    assert_eq!((job.full_pool.as_deref(), job.incremental_pool.as_deref()), (Some("Full"), Some("Inc")));
    assert_eq!((job.pool.as_str(), job.next_pool.as_deref()), ("Inc", Some("Full")));
    assert_eq!(found(&report), [], "{report}");
    let text = director(" Full Backup Pool = Full").replace("Pool = Inc; ", "");
    assert_eq!(good::<DirectorConfig>(&text).0.jobs[0].pool, "Full");
}

#[test]
fn an_admin_job_needs_no_more_than_its_name_and_messages() {
    let text = director("") + "Job { Name = a; Type = Admin; Messages = Standard }\n";
    let (config, report) = good::<DirectorConfig>(&text);
    assert_eq!((config.jobs[1].kind, found(&report).len()), (JobKind::Admin, 0), "{report}");
}

#[test]
fn copies_select_by_name_or_what_has_no_copy() {
    let copy = |more: &str| {
        let text =
            director(more).replace("Type = Backup; Client = fd; FileSet = Set; Storage = File; ", "Type = Copy;");
        text.replace("Pool { Name = Inc }", "Pool { Name = Inc; Next Pool = Full; Storage = File }").replace(
            "Pool { Name = Full }",
            "Pool { Name = Full; Storage = Away }\nStorage { Name = Away; Address = x.example; Password = p3; Device = d; Media Type = A }",
        )
    };
    let job = |more: &str| good::<DirectorConfig>(&copy(more)).0.jobs.remove(0);
    let all = job(" Selection Type = PoolUncopiedJobs");
    // What the job does not name, it has from its pool, or it does not matter.
    assert_eq!((all.kind, all.client.as_str(), all.storage.as_str()), (JobKind::Copy, "fd", "File"));
    assert_eq!(
        (all.selection, all.selection_pattern, all.max_concurrent_copies),
        (Selection::PoolUncopiedJobs, None, 100)
    );
    let by_name = job(" Selection Type = Job\n Selection Pattern = \"^backup-(a|b)\"\n Max Concurrent Copies = 7");
    assert_eq!((by_name.selection, by_name.selection_pattern.as_deref()), (Selection::Job, Some("^backup-(a|b)")));
    assert_eq!(by_name.max_concurrent_copies, 7);
    let by_query = job(" Selection Type = SqlQuery\n Selection Pattern = \"SELECT JobId \"\n \"FROM Job\"");
    assert_eq!(
        (by_query.selection, by_query.selection_pattern.as_deref()),
        (Selection::SqlQuery, Some("SELECT JobId FROM Job"))
    );
    for (word, selection) in [
        ("Oldest Volume", Selection::OldestVolume),
        ("smallestvolume", Selection::SmallestVolume),
        ("PoolTime", Selection::PoolTime),
        ("Pool Occupancy", Selection::PoolOccupancy),
    ] {
        assert_eq!(job(&format!(" Selection Type = \"{word}\"")).selection, selection, "{word}");
    }
    for (more, code) in [
        (" Selection Type = SqlQuery", codes::CONTRADICTION),
        (" Selection Type = Weather", codes::UNKNOWN_VALUE),
        (" Selection Type = Job\n Selection Pattern = \"(a\"", codes::UNMATCHED),
        (" Selection Type = Volume", codes::CONTRADICTION),
    ] {
        assert_eq!(report::<DirectorConfig>(&copy(more)).diagnostics[0].code, code, "{more}");
    }
}

fn run(line: &str) -> Result<Run, String> {
    let text = director("").replace("Run = Full sat at 21:00", &format!("Run = {line}"));
    let (mut config, report, _) = read::<DirectorConfig>(&text).unwrap();
    match report.diagnostics.iter().find(|found| found.code == codes::REFUSED_RUN) {
        Some(refused) => Err(refused.message.clone()),
        None => Ok(config.schedules.remove(0).runs.remove(0)),
    }
}

#[test]
fn run_lines_have_the_forms_of_the_manual() {
    let at = |times: &[&str]| -> Vec<TimeOfDay> { times.iter().map(|text| TimeOfDay::parse(text).unwrap()).collect() };
    let line = |text: &str| run(text).unwrap();
    let weekly = line("Level=Full 1st sat at 21:00");
    assert_eq!((weekly.level, weekly.at), (Some(Level::Full), at(&["21:00"])));
    assert_eq!((weekly.days, weekly.weeks), (vec![Weekday::Sat], vec![Week::First]));
    let middle = line("Differential 2nd-5th sat at 21:00");
    assert_eq!(middle.weeks, [Week::Second, Week::Third, Week::Fourth, Week::Fifth]);
    assert_eq!(
        line("Incremental mon-fri at 21:00").days,
        [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri]
    );
    assert_eq!(line("fri-mon at 1:05pm").days, [Weekday::Sun, Weekday::Mon, Weekday::Fri, Weekday::Sat]);
    assert_eq!(line("daily at 1:05pm").at, at(&["13:05"]));
    assert_eq!(line("at 12:30am").at, at(&["0:30"]));
    assert_eq!(line("at 12:00pm").at, at(&["12:00"]));
    assert_eq!(line("Full on 1 at 2:05").days_of_month, [1]);
    assert_eq!(line("Incremental on 2-31 at 2:05").days_of_month, (2..=31).collect::<Vec<u8>>());
    assert_eq!(line("1,15 at 2:05").days_of_month, [1, 15]);
    assert_eq!(line("2/2 at 23:10").days_of_month, (1..=15).map(|half| half * 2).collect::<Vec<u8>>());
    assert_eq!(line("Full last fri at 21:00").weeks, [Week::Last]);
    assert_eq!(line("jan, march-may 1st sunday at 3:00").months, [1, 3, 4, 5]);
    let hourly = line("Full hourly at 0:15").at;
    assert_eq!((hourly.len(), hourly[0], hourly[23]), (24, at(&["0:15"])[0], at(&["23:15"])[0]));
    // No time is every full hour.
    assert_eq!(line("Full sat").at.len(), 24);
    assert_eq!(line("at 8:30 at 20:30").at, at(&["8:30", "20:30"]));
    let of_year = |text: &str| line(text).weeks_of_year;
    assert_eq!(of_year("w10 sat at 23:10"), [10]);
    assert_eq!(of_year("w00, w20-w22 at 23:10"), [0, 20, 21, 22]);
    assert_eq!(of_year("w52-w01 at 23:10"), [0, 1, 52, 53]);
    assert_eq!(of_year("w03/w10 at 23:10"), [3, 13, 23, 33, 43, 53]);
    let mut said = line(
        "Level=Full Pool=Full IncrementalPool=\"Inc\" NextPool=Inc Storage=File Priority=3 Accurate=yes SpoolData=no \
         MaxRunSchedTime=\"2 hours\" 1st-3rd sat at 21:00",
    );
    assert_eq!((said.level, said.weeks.len(), said.days.len()), (Some(Level::Full), 3, 1));
    let pools = [said.pool.take(), said.incremental_pool.take(), said.next_pool.take(), said.full_pool.take()];
    assert_eq!(pools, [Some("Full".to_owned()), Some("Inc".to_owned()), Some("Inc".to_owned()), None]);
    assert_eq!((said.storage.as_deref(), said.priority, said.accurate), (Some("File"), Some(3), Some(true)));
    assert_eq!(said.spool_data, Some(false));
    assert_eq!(said.max_run_sched_time.map(|time| time.0), Some(7_200));
}

#[test]
fn a_run_of_a_pool_or_storage_that_is_not_there_is_found() {
    for line in ["Pool=Fall sat at 21:00", "FullPool=Fall sat at 21:00", "Storage=Fial sat at 21:00"] {
        let text = director("").replace("Run = Full sat at 21:00", &format!("Run = {line}"));
        assert_eq!(report::<DirectorConfig>(&text).diagnostics[0].code, codes::UNKNOWN_REFERENCE, "{line}");
    }
}

#[test]
fn run_lines_that_cannot_be_kept_are_refused_each_with_its_reason() {
    for (line, why) in [
        ("Priority=high sat at 21:00", "is not a whole number"),
        ("Accurate=perhaps sat at 21:00", "is not `yes` or `no`"),
        ("MaxRunSchedTime=\"5 parsecs\" sat at 21:00", "is not a time"),
        ("Level=Base sat at 21:00", "no level that a job can have"),
        ("w05/w03 at 23:10", "begins after its first turn"),
        ("w00/w00 at 23:10", "begins after its first turn"),
        ("w54 at 23:10", "has no week of a year"),
        ("w10-w60 at 23:10", "has no week of a year"),
        ("w10-fri at 23:10", "no range of days"),
        ("sat 21:00", "a time needs `at` before it"),
        ("sat at 25:00", "no time of day"),
        ("sat at 13:00pm", "no time of day"),
        ("at 8:30 at 20:15", "the same minute"),
        ("32 at 8:00", "no day of a month"),
        ("3/2 at 8:00", "begins after its first turn"),
        ("mon-5th at 8:00", "no range of days"),
        ("someday at 8:00", "no day and no time"),
        ("Colour=red at 8:00", "it has no `Colour`"),
    ] {
        let message = run(line).unwrap_err();
        assert!(message.starts_with("this `Run` cannot be kept: ") && message.contains(why), "{line}: {message}");
    }
}

#[test]
fn filesets_have_several_includes_and_options() {
    let text = r#"Include {
   Options { Signature = SHA1; WildFile = "*.o"; WildFile = "*/tmp/*"; Exclude = yes; Ignore Case = yes }
   Options { OneFS = no; ACL Support = no; Hard Links = no; Accurate = mcs; No Atime = yes; Compression = GZIP }
   File = /home
   File = "/with space"
   Exclude Dir Containing = .nobackup
 }
 Include { File = /etc }
 Exclude { File = /home/x; File = /home/y }
"#;
    let text = director("").replace("Include { File = /home }", text);
    let (config, warnings) = good::<DirectorConfig>(&text);
    let set = &config.filesets[0];
    let [first, second] = set.include.as_slice() else { panic!("{set:?}") };
    assert_eq!(first.files, ["/home", "/with space"]);
    assert_eq!(first.exclude_dir_containing, [".nobackup"]);
    let [out, rest] = first.options.as_slice() else { panic!("{first:?}") };
    assert_eq!((out.digest, out.exclude, out.ignore_case), (Digest::Sha1, true, true));
    assert_eq!(
        (out.wild_file.as_slice(), out.regex_file.as_slice()),
        (&["*/tmp/*".to_owned()][..], &[r"/[^/]*\.o$".to_owned()][..])
    );
    assert_eq!((rest.onefs, rest.acl, rest.hardlinks, rest.noatime), (false, false, false, true));
    assert_eq!((rest.accurate.as_deref(), rest.compression), (Some("mcs"), Compression::Gzip6));
    assert_eq!((second.files.as_slice(), second.options.len()), (&["/etc".to_owned()][..], 1));
    assert_eq!(set.exclude.files, ["/home/x", "/home/y"]);
    assert!(warnings.is_empty(), "{warnings}");
}

#[test]
fn hard_links_are_kept_only_where_a_block_of_options_says_so() {
    let hardlinks = |text: &str| {
        let (config, warnings) = good::<DirectorConfig>(&director("").replace("Include { File = /home }", text));
        assert!(warnings.is_empty(), "{warnings}");
        config.filesets[0].include[0].options.iter().map(|options| options.hardlinks).collect::<Vec<_>>()
    };
    assert_eq!(hardlinks("Include { File = /home }"), [false]);
    let text = "Include { Options { HardLinks = yes }\n Options { Signature = MD5 }\n File = /home }";
    assert_eq!(hardlinks(text), [true, false]);
}

#[test]
fn sizes_to_save_are_read() {
    let text = "Include { Options { Size = \"1k-20 mb\" }\n File = /home }";
    let (config, warnings) = good::<DirectorConfig>(&director("").replace("Include { File = /home }", text));
    assert_eq!(config.filesets[0].include[0].options[0].size.as_deref(), Some("1k-20 mb"));
    assert!(warnings.is_empty(), "{warnings}");
}

#[test]
fn lists_without_a_backslash_are_the_directors() {
    let text = r#"Include { File = "</etc/here"; File = "\\</there"; File = /home; File = "|cat /etc/x"; File = "\\|df" }
 Exclude { File = "</etc/out" }
"#;
    let text = director("").replace("Include { File = /home }", text);
    let (config, warnings) = good::<DirectorConfig>(&text);
    let set = &config.filesets[0];
    assert_eq!(set.include[0].files, ["</there", "/home", "|df"]);
    assert_eq!(set.include[0].director_lists, ["</etc/here", "|cat /etc/x"]);
    assert_eq!((set.exclude.files.len(), &*set.exclude.director_lists), (0, &["</etc/out".to_owned()][..]));
    assert!(warnings.is_empty(), "{warnings}");
}

#[test]
fn pools_keep_their_limits_and_scratch_is_left_out() {
    let pool = "Pool { Name = Full; Pool Type = Backup; Label Format = \"Full-\"; Volume Retention = 365 days\n \
                Maximum Volume Bytes = 50G; Maximum Volumes = 100; Recycle = no; Auto Prune = no; Next Pool = Inc }\n\
                Pool { Name = Scratch; Pool Type = Scratch }";
    let (config, report) = good::<DirectorConfig>(&director("").replace("Pool { Name = Full }", pool));
    let full = config.pool("Full").unwrap();
    assert_eq!((full.label_format.as_deref(), full.maximum_volumes), (Some("Full-"), 100));
    assert_eq!((full.volume_retention, full.maximum_volume_bytes.0), (Seconds::days(365), 50 << 30));
    assert_eq!((full.recycle, full.auto_prune, full.next_pool.as_deref()), (false, false, Some("Inc")));
    assert!(config.pool("Scratch").is_none());
    assert_eq!(report.diagnostics[0].message, "pool \"Scratch\" is left out: no pool takes volumes from another");
    let with = |format: &str| {
        let pool = format!("Pool {{ Name = Full; Label Format = \"{format}\" }}");
        let counter = "\nCounter { Name = Tape; Minimum = 3; Maximum = 0; Catalog = My }\n";
        director("").replace("Pool { Name = Full }", &pool) + counter
    };
    assert_eq!(found(&self::report::<DirectorConfig>(&with("${Jbo}-"))), [(codes::LABEL_FORMAT, 5, 36)]);
    let (config, _) = good::<DirectorConfig>(&with("${Job}-${Tape+}"));
    assert_eq!(config.pools[0].label_format.as_deref(), Some("${Job}-${Tape+}"));
    let Counter { name, minimum, keep, .. } = &config.counters[0];
    assert_eq!((&**name, *minimum, config.counters[0].highest(), *keep), ("Tape", 3, 2_147_483_647, true));
}

#[test]
fn consoles_have_the_commands_of_their_profiles() {
    let consoles = |text: &str| director("") + text;
    let all = ["Job", "Client", "Storage", "Schedule", "Pool", "FileSet", "Catalog", "Where"]
        .map(|acl| format!("{acl} ACL = *all*"))
        .join("; ");
    let text = format!(
        "Profile {{ Name = operator; Command ACL = !configure, !purge\n Command ACL = *all*; {all} }}\n\
         Console {{ Name = admin; Password = p; Profile = operator; Command ACL = status }}\n\
         Console {{ Name = mon; Password = p; Command ACL = status, .status; Job ACL = *all* }}\n"
    );
    let (config, warnings) = good::<DirectorConfig>(&consoles(&text));
    let admin = config.console("admin").unwrap();
    let commands = admin.all_entries(&config.profiles, Access::Command);
    assert_eq!(commands, ["status", "!configure", "!purge", "*all*"]);
    assert!(admin.acl(&config.profiles, Access::Where).is_open());
    assert_eq!(config.console("mon").unwrap().command_acl, ["status", ".status"]);
    assert!(warnings.is_empty(), "{warnings}");
    // A console that sees nothing with its commands is warned of.
    let (_, warnings) =
        good::<DirectorConfig>(&consoles("Console { Name = x; Password = p; Command ACL = run; Job ACL = *all* }"));
    assert!(warnings.diagnostics[0].message.contains("nothing in client_acl, storage_acl"), "{warnings}");
    for (left_out, why) in [
        ("Name = x; Use PAM Authentication = yes", "PAM"),
        // As in a dump of a configuration.
        ("Name = \"*UserAgent*\"", "the director's own"),
    ] {
        let (config, warnings) = good::<DirectorConfig>(&consoles(&format!("Console {{ Password = p; {left_out} }}")));
        assert!(config.consoles.is_empty(), "{left_out}");
        assert!(warnings.diagnostics[0].message.contains(why), "{warnings}");
    }
}

#[test]
fn each_access_list_of_a_console_is_read() {
    let console = |catalog: &str| {
        format!(
            "Console {{ Name = x; Password = p; Command ACL = run; Job ACL = b, !c; Client ACL = one-fd\n\
             Storage ACL = \"a.*\"; Schedule ACL = s; Pool ACL = Full; FileSet ACL = f; {catalog}\n\
             Where ACL = /tmp, \"/srv/.*\" }}\n"
        )
    };
    for (catalog, has_it) in [("Catalog ACL = my", true), ("", false), ("Catalog ACL = !My, *all*", false)] {
        let text = director("") + &console(catalog);
        let (config, _) = good::<DirectorConfig>(&text);
        let x = config.console("x").unwrap();
        assert_eq!(
            (&x.job_acl[..], &x.client_acl[..]),
            (&["b".to_owned(), "!c".to_owned()][..], &["one-fd".to_owned()][..])
        );
        assert_eq!(
            (&x.storage_acl[0], &x.schedule_acl[0], &x.pool_acl[0]),
            (&"a.*".into(), &"s".into(), &"Full".into())
        );
        assert_eq!((&x.fileset_acl[0], &x.where_acl[1]), (&"f".into(), &"/srv/.*".into()));
        assert_eq!(x.acl(&config.profiles, Access::Catalog).allows("My"), has_it, "{catalog}");
    }
}

#[test]
fn a_catalog_is_a_server_or_a_file_of_our_own() {
    let catalog = |text: &str| {
        let old = "DbName = bareos; DbUser = bareos; DbPassword = \"\"";
        read::<DirectorConfig>(&director("").replace(old, text)).map(|(config, ..)| config.catalog)
    };
    let Ok(Catalog::Postgres(there)) =
        catalog("dbname = b; dbuser = u; dbpassword = pw; db address = localhost; db port = 5433")
    else {
        panic!("a server")
    };
    assert_eq!((there.host.as_str(), there.port, there.user.as_str()), ("localhost", 5433, "u"));
    let Ok(Catalog::Postgres(there)) = catalog("dbname = b; dbuser = u; dbsocket = /run/pg/.s.PGSQL.5432") else {
        panic!("a server")
    };
    assert_eq!(there.host, "/run/pg");
    let Ok(Catalog::Sqlite(file)) = catalog("db driver = sqlite3; dbname = /srv/catalog.sqlite; dbuser = x") else {
        panic!("a file")
    };
    assert_eq!(file.path, "/srv/catalog.sqlite");
}

#[test]
fn catalogs_are_as_many_as_there_are_and_the_first_is_that_of_whatever_names_none() {
    let text = director(" Catalog = Deep")
        .replace("Pool { Name = Full }", "Pool { Name = Full; Catalog = My }")
        .replace("Name = fd;", "Name = fd; Catalog = Deep;")
        + "Catalog { Name = Deep; DbDriver = sqlite3; DbName = /srv/deep.sqlite; DbUser = x }\n\
           Counter { Name = Tape; Catalog = Deep }\n\
           Console { Name = x; Password = p; Command ACL = list; Catalog ACL = Deep }\n";
    let (config, _) = good::<DirectorConfig>(&text);
    assert_eq!(config.all_catalogs().map(Catalog::name).collect::<Vec<_>>(), ["My", "Deep"]);
    assert_eq!(config.jobs[0].catalog.as_deref(), Some("Deep"));
    assert_eq!(config.pool("Full").unwrap().catalog.as_deref(), Some("My"));
    assert_eq!(config.clients[0].catalog.as_deref(), Some("Deep"));
    assert_eq!((config.counters[0].keep, config.counters[0].catalog.as_deref()), (true, Some("Deep")));
    assert_eq!(config.consoles[0].catalog_acl, ["Deep"]);
}

#[test]
fn a_copy_without_a_storage_reads_from_that_of_the_backups_in_its_pool() {
    let copy = "Pool { Name = Inc; Next Pool = Full }\nPool { Name = Full; Storage = Away }\n\
                Storage { Name = Away; Address = x.example; Password = p3; Device = d; Media Type = A }\n\
                Job { Name = c; Type = Copy; Pool = Inc; Messages = Standard; Selection Type = PoolUncopiedJobs }";
    let text = director("").replace("Pool { Name = Inc }", "").replace("Pool { Name = Full }", copy);
    let (config, _) = good::<DirectorConfig>(&text);
    let copy = config.job("c").unwrap();
    assert_eq!((copy.storage.as_str(), copy.client.as_str(), copy.fileset.as_str()), ("File", "fd", "Set"));
}

#[test]
fn a_fileset_of_plugins_only_is_one_for_a_client_that_has_them() {
    let plugin = "bpipe:file=/x:reader=a b:writer=c";
    let (config, report) = good::<DirectorConfig>(
        &director("").replace("File = /home", &format!("Plugin = \"{plugin}\"; Options {{ FS Type = xfs }}")),
    );
    let include = &config.filesets[0].include[0];
    assert_eq!((include.plugins.as_slice(), include.files.len()), (&[plugin.to_owned()][..], 0));
    assert!(include.options.iter().any(|options| options.fs_types == ["xfs"]), "{:?}", include.options);
    assert!(config.jobs[0].enabled && found(&report).is_empty(), "{report}");
}

#[test]
fn verify_jobs_have_levels_of_their_own() {
    for (level, expected) in [
        ("VolumeToCatalog", VerifyLevel::VolumeToCatalog),
        ("DiskToCatalog", VerifyLevel::DiskToCatalog),
        ("InitCatalog", VerifyLevel::InitCatalog),
        ("Catalog", VerifyLevel::Catalog),
    ] {
        let text = director("").replace("Type = Backup", &format!("Type = Verify; Level = {level}"));
        assert_eq!(good::<DirectorConfig>(&text).0.jobs[0].verify_level, expected, "{level}");
    }
}

#[test]
fn each_form_of_a_command_of_a_job_is_read_and_those_of_its_defaults_come_after_its_own() {
    let text = director(
        " JobDefs = Base\n Run Before Job = \"/bin/before %i\"; Run After Job = /bin/after\n Run After Failed Job = /bin/failed\n \
         Client Run Before Job = /bin/c1; Client Run After Job = /bin/c2; Client Run After Job = /bin/c3\n RunScript { Command = \"/a 1\"; Console = \"list jobs\"; Command = /b\n Runs When \
         = Always; Runs On Client = No; Runs On Failure = yes; Abort Job On Error = no }",
    ) + "JobDefs { Name = Base; RunScript { Command = /base; RunsWhen = AfterVSS; Target = \"%c\" } }\n";
    let (config, report) = good::<DirectorConfig>(&text);
    assert_eq!(found(&report), [], "{report}");
    let told: Vec<String> = config.jobs[0]
        .run_scripts
        .iter()
        .map(|script| {
            let flags = [
                (script.runs_on_client, "client"),
                (script.runs_on_success, "success"),
                (script.runs_on_failure, "failure"),
                (script.fail_job_on_error, "fails"),
                (script.console, "console"),
            ];
            let flags: Vec<&str> = flags.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
            format!("{} {:?} {}", script.command, script.runs_when, flags.join(" "))
        })
        .collect();
    assert_eq!(
        told,
        [
            "/bin/before %i Before success fails",
            "/bin/after After success",
            "/bin/failed After failure",
            "/bin/c1 Before client success fails",
            "/bin/c2 After client success",
            "/bin/c3 After client success",
            "/a 1 Always success failure",
            "list jobs Always success failure console",
            "/b Always success failure",
            "/base AfterVss client success fails",
        ]
    );
}

#[test]
fn a_command_of_a_job_that_makes_no_sense_is_refused_where_it_stands() {
    for (script, code) in [
        ("RunScript { Command = /a }", codes::WITHOUT_EFFECT),
        ("RunScript { RunsWhen = Before }", codes::MISSING_FIELD),
        ("RunScript { Console = \"run job=x yes\"; RunsWhen = After }", codes::NOT_FOR_JOBS),
        ("RunScript { Command = /a; RunsWhen = Before; RunsOnClient = other-fd }", codes::REFUSED_DIRECTIVE),
        ("RunScript { Command = /a; RunsWhen = Sometimes }", codes::WRONG_VALUE),
        ("RunScript = /a", codes::WRONG_VALUE),
    ] {
        let report = report::<DirectorConfig>(&director(&format!(" {script}")));
        assert!(found(&report).iter().any(|(found, line, _)| (*found, *line) == (code, 12)), "{script}: {report}");
    }
}
