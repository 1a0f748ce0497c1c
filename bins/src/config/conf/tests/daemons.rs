//! The file daemon, the storage daemon, the console and the tray monitor.

use towline_core::config::{MessageTypes, When};

use super::*;

#[test]
fn a_file_daemon_has_its_directors_and_where_it_listens() {
    let text = r#"
# Comments, lower case, spaces and underscores: all the same
client {
  name = "web-fd"   # last
  maximum concurrent_jobs = 20
  FD Addresses = {
    ip = { addr = 192.0.2.1; port = 9105 }
    ipv6 = { addr = 2001:db8::1
             port = 9106 }
    ipv4 = { port = 9107 }
  }
  HeartbeatInterval = 2 min; Maximum Bandwidth Per Job = 10 mb/s
  AllowedJobCommand = backup, restore, runscript
  Allowed Script Dir = /etc/scripts
  AllowedScriptDir = /opt/scripts
  Messages = Standard
}
Director { Password = "[md5]5ebe2294ecd0e0f08eab7690d2a6ee69"; Name = dir }
Director {
  Name = mon; Password = "with \"quotes\" and "
                         "a second line"; Monitor = yes
}
Messages { Name = Standard; Director = dir = all, !skipped
  Append = "/var/log/fd.log" = all, !skipped
  MailCommand = "/usr/bin/bsmtp %r"; MailOnError = root@localhost = all; Stdout = error }
"#;
    let (config, warnings) = good::<FileConfig>(text);
    let file = &config.file;
    assert_eq!(
        (file.name.as_str(), file.maximum_concurrent_jobs, file.heartbeat_interval),
        ("web-fd", 20, Seconds(120))
    );
    assert_eq!(file.listen, ["192.0.2.1:9105", "[2001:db8::1]:9106", "0.0.0.0:9107"]);
    assert_eq!(file.maximum_bandwidth_per_job.0, 10_000_000);
    assert_eq!(config.directors[0].password, Password::new("[md5]5ebe2294ecd0e0f08eab7690d2a6ee69"));
    let allowed = [JobCommand::Backup, JobCommand::Restore, JobCommand::RunScript];
    assert_eq!(config.directors[0].allowed_job_commands, allowed);
    assert_eq!(file.allowed_script_dir, ["/etc/scripts", "/opt/scripts"]);
    assert_eq!(config.directors[1].password, Password::new("with \"quotes\" and a second line"));
    assert!(config.directors[1].monitor);
    assert_eq!(config.appended().collect::<Vec<_>>(), ["/var/log/fd.log"]);
    let mail = &config.messages[0].destinations[2];
    assert_eq!((mail.to.join(" "), mail.command.as_deref()), ("root@localhost".to_owned(), Some("/usr/bin/bsmtp %r")));
    assert_eq!((mail.when, config.mailed()), (When::OnError, MessageTypes::ALL));
    assert_eq!(config.told().words().join(", "), "all, !skipped");
    assert!(warnings.is_empty(), "{warnings}");
}

#[test]
fn each_resource_has_its_own_tls_and_takes_nothing_from_the_daemon() {
    let own = "TlsCertificate = /c.pem; TlsKey = /k.pem; TlsCaCertificateFile = /ca.pem; TlsAllowedCn = a, b; \
               TlsVerifyPeer = yes";
    let (config, _) = good::<FileConfig>(&file(own));
    assert_eq!(config.file.tls.certificate.as_deref(), Some("/c.pem"));
    assert_eq!(config.file.tls.allowed_cn, ["a", "b"]);
    // The director's resource says nothing, so it is as if the daemon said nothing either.
    assert_eq!(config.director_tls(&config.directors[0]).certificate, None);
    let (config, _) = good::<FileConfig>(
        &file("TlsEnable = no\nTlsRequire = no").replace("Password =", "TlsEnable = no; Password ="),
    );
    assert!(!config.file.tls.enable && !config.director_tls(&config.directors[0]).enable);
}

#[test]
fn nobody_is_verified_unless_a_resource_asks_for_it() {
    let tls = "TlsCertificate = /c.pem; TlsKey = /k.pem; TlsCaCertificateFile = /ca.pem";
    let verifies = |more: &str| {
        let (config, report) = good::<FileConfig>(&file(&format!("{tls}\n{more}")));
        (config.file.tls.verifies(), config.file.tls.allowed_cn.len(), found(&report))
    };
    assert_eq!(verifies("TlsVerifyPeer = yes; TlsAllowedCn = a"), (true, 1, vec![]));
    assert_eq!(verifies(""), (false, 0, vec![(codes::UNVERIFIED, 3, 66)]));
    let both = vec![(codes::UNVERIFIED, 3, 66), (codes::UNVERIFIED, 4, 16)];
    assert_eq!(verifies("TlsAllowedCn = a"), (false, 0, both));
    assert!(!verifies("TlsCertificateRevocationList = l").0);
}

#[test]
fn a_storage_daemon_has_folders_as_devices() {
    let text = r#"
Storage { Name = sd; SDPort = 9203; Working Directory = /var/lib/x }
Director { Name = dir; Password = pw }
Device {
  Name = FileStorage; Media Type = File; Archive Device = /srv/volumes
  Label Media = yes; Random Access = yes; Automatic Mount = yes; Removable Media = no; Always Open = no
  Maximum Block Size = 64k
  Count = 10
}
Device { Name = Other; Media Type = Other; Archive Device = /srv/other }
"#;
    let (config, warnings) = good::<StorageConfig>(text);
    assert_eq!((config.storage.port, config.storage.working_directory.as_deref()), (9203, Some("/var/lib/x")));
    let [device, other] = config.devices.as_slice() else { panic!("{:?}", config.devices) };
    assert_eq!((device.name.as_str(), device.media_type.as_str()), ("FileStorage", "File"));
    assert_eq!((device.archive_device.as_str(), device.maximum_block_size.0), ("/srv/volumes", 65_536));
    // As in Bareos, nobody's volumes are labelled unasked.
    assert_eq!((device.label_media, other.label_media), (true, false));
    assert_eq!((device.count, other.count), (10, 1));
    assert!(warnings.is_empty(), "{warnings}");
}

#[test]
fn a_store_of_objects_is_a_device_with_options() {
    let storage = |device: &str| {
        format!(
            "Storage {{ Name = sd }}\nDirector {{ Name = dir; Password = pw }}\n\
             Device {{ Name = d; Media Type = S3; {device} }}\n"
        )
    };
    let device = "Archive Device = \"S3 Storage\"; Device Type = droplet; Device Options = \
                  \"profile=/etc/x.profile,bucket=backup,location=eu-1,chunksize=100M,iothreads=10,retries=1\"";
    let (config, warnings) = good::<StorageConfig>(&storage(device));
    let [device] = config.devices.as_slice() else { panic!("{:?}", config.devices) };
    assert!(device.is_object());
    assert_eq!((device.archive_device.as_str(), device.object.part_size.0), ("s3://backup", 100 << 20));
    assert_eq!(device.object.credentials.as_deref(), Some("/etc/x.profile"));
    assert_eq!(device.object.region.as_deref(), Some("eu-1"));
    // What Bareos has written is not read, and two options do nothing.
    assert_eq!(warnings.warnings(), 3, "{warnings}");
    let device = "Archive Device = \"s3://b/p\"; Device Type = Object; Device Options = \
                  \"endpoint=https://s3.example.com,retry_for=2 minutes,virtual_hosts=yes\"";
    let (config, warnings) = good::<StorageConfig>(&storage(device));
    assert_eq!((config.devices[0].object.retry_for.0, config.devices[0].object.virtual_hosts), (120, true));
    assert!(warnings.is_empty(), "{warnings}");
    for wrong in [
        "Archive Device = \"s3://b\"; Device Type = Object; Device Options = \"acl=private\"",
        "Archive Device = \"s3://b\"; Device Type = Object; Device Options = \"part_size=much\"",
        "Archive Device = /srv/v; Device Type = Object",
        "Archive Device = \"s3://b\"; Device Type = File",
        "Archive Device = \"s3://b\"",
    ] {
        assert!(report::<StorageConfig>(&storage(wrong)).has_errors(), "{wrong}");
    }
}

#[test]
fn an_autochanger_of_folders_has_its_devices() {
    let text = r#"
Storage { Name = sd }
Director { Name = dir; Password = pw }
Autochanger { Name = Changer; Device = d1, d2; Changer Device = /dev/null; Changer Command = "" }
Device { Name = d1; Media Type = File; Archive Device = /srv/v; Maximum Concurrent Jobs = 3 }
Device { Name = d2; Media Type = File; Archive Device = /srv/v; Auto Select = no }
"#;
    let (config, warnings) = good::<StorageConfig>(text);
    let [changer] = config.autochangers.as_slice() else { panic!("{:?}", config.autochangers) };
    assert_eq!((changer.name.as_str(), &changer.devices[..]), ("Changer", &["d1".to_owned(), "d2".to_owned()][..]));
    let uses: Vec<_> =
        config.devices.iter().map(|device| (device.maximum_concurrent_jobs, device.auto_select)).collect();
    assert_eq!(uses, [(3, true), (1, false)]);
    assert!(warnings.is_empty(), "{warnings}");
    let tape = text.replace("Media Type = File;", "Media Type = File; Device Type = Tape;");
    assert!(report::<StorageConfig>(&tape).has_errors());
    for wrong in ["Device = d1, d3", "Device = d1, d2; Name = d1"] {
        assert!(report::<StorageConfig>(&text.replace("Device = d1, d2", wrong)).has_errors(), "{wrong}");
    }
    let other = text.replacen("/srv/v", "/srv/w", 1);
    assert!(report::<StorageConfig>(&other).has_errors(), "a volume is found on each of its devices");
}

#[test]
fn a_console_is_for_its_director() {
    let text = r#"
Director { Name = dir; DirPort = 9201; Address = dir.example; Password = pw }
Director { Name = other; Address = other.example; Password = pw }
Console { Name = admin; Director = dir; Password = own; TlsEnable = yes }
Console { Name = else; Director = other; Password = own }
"#;
    let (config, warnings) = good::<ConsoleConfig>(text);
    assert_eq!((config.director.name.as_str(), config.director.port), ("dir", 9201));
    assert_eq!(config.console.map(|console| console.name).as_deref(), Some("admin"));
    assert_eq!(found(&warnings), [(codes::WITHOUT_EFFECT, 3, 19), (codes::WITHOUT_EFFECT, 5, 18)]);
    let (plain, _) = good::<ConsoleConfig>("Director { Name = d; Address = a.example; Password = pw }");
    assert!(plain.console.is_none());
}

#[test]
fn a_tray_monitor_has_one_password_for_all_directors() {
    let text = r#"
Monitor { Name = mon; Password = mp; RefreshInterval = 90 seconds; FD Connect Timeout = 20; SD Connect Timeout = 5 }
Director { Name = dir; Address = dir.example }
Client { Name = fd; Address = fd.example; Password = fp; FDPort = 9202 }
Storage { Name = sd; Address = sd.example; SDPassword = sp }
"#;
    let (config, warnings) = good::<TrayConfig>(text);
    assert_eq!((config.monitor.refresh_interval, config.monitor.timeout), (Seconds(90), Seconds(20)));
    assert_eq!(config.directors[0].password, Password::new("mp"));
    assert_eq!((config.clients[0].port, &config.clients[0].password), (9202, &Password::new("fp")));
    assert_eq!(config.storages[0].password, Password::new("sp"));
    assert!(warnings.is_empty(), "{warnings}");
}
