//! `T08`: configuration.

use super::{Page, entry};
use crate::error::{Code, Fault, Retry};
use crate::explain::codes;

/// All of these are found before a daemon starts, and none goes away by itself.
const fn finding(code: Code, title: &'static str, meaning: &'static str, remedy: &'static str) -> Page {
    entry(code.0, title, (Fault::Config, Retry::Never), meaning, remedy)
}

pub(super) const PAGES: &[Page] = &[
    finding(
        codes::UNREADABLE,
        "the configuration cannot be read",
        "The file does not exist, this user may not read it, or it is not UTF-8 text.",
        "Check the path, and that the user of the daemon may read the file and its folders.",
    ),
    finding(
        codes::TOO_LARGE,
        "the configuration is too large",
        "The file is longer than any configuration, so it was not read.",
        "Check that the path names a configuration and not a log or a volume.",
    ),
    finding(
        codes::SYNTAX,
        "the configuration is not valid RON",
        "A bracket, comma or quote is missing or too many. The mark is at the place where reading stopped; the mistake may \
         be a little before it.",
        "Compare the marked place with the example of the same daemon.",
    ),
    finding(
        codes::UNKNOWN_FIELD,
        "unknown field",
        "The resource has no field of this name. Unknown fields are refused, because a misspelt one would silently do nothing.",
        "Use the name suggested, or remove the field.",
    ),
    finding(
        codes::UNKNOWN_VALUE,
        "unknown value",
        "The field takes one of a few words, and this is none of them.",
        "Use one of the words in the message.",
    ),
    finding(
        codes::MISSING_FIELD,
        "a required field is missing",
        "The resource makes no sense without this field, and there is no default that would suit everybody.",
        "Add the field named in the message.",
    ),
    finding(
        codes::DUPLICATE_FIELD,
        "a field is given twice",
        "Only one of the two could count, and which one would be a guess.",
        "Remove one of them.",
    ),
    finding(
        codes::WRONG_VALUE,
        "a value of the wrong type or range",
        "The field expects another kind of value: a number instead of text, a duration with its unit, or a smaller number.",
        "Write the value as the message says. Durations look like `30 s` or `1 day`, sizes like `64 KiB`.",
    ),
    finding(
        codes::UNREADABLE_CERTIFICATE,
        "a certificate or key file cannot be read",
        "The TLS settings name a file that does not exist or that this user may not read.",
        "Correct the path, or let the user of the daemon read the file. Private keys often belong to root only.",
    ),
    finding(
        codes::EMPTY_CERTIFICATE,
        "a certificate or key file holds nothing of its kind",
        "The file can be read, and it has no PEM block of the kind that belongs there. Often certificate and key were swapped.",
        "Name the file with the right block, or convert it to PEM.",
    ),
    finding(
        codes::UNKNOWN_REFERENCE,
        "a name refers to nothing",
        "One resource names another that is not defined.",
        "Define the resource, or use the nearest name that the message offers.",
    ),
    finding(
        codes::DUPLICATE_NAME,
        "two resources have the same name",
        "References and peers could not tell the two apart.",
        "Rename one of them, here and at the peer.",
    ),
    finding(
        codes::BAD_NAME,
        "a name that cannot be used",
        "Names go over the wire and into file names, so they may not be empty, too long, or hold control characters.",
        "Use letters, digits, `-`, `_` and `.`, at most 127 of them.",
    ),
    finding(
        codes::BAD_PASSWORD,
        "a password that cannot be used",
        "The password is empty, a well-known placeholder, or has characters that the protocol cannot carry.",
        "Choose a long random password, and write it into the resource of the peer too.",
    ),
    finding(
        codes::BAD_ADDRESS,
        "no host name and no IP address",
        "An address has characters that no name has, or a port in it, which has a field of its own.",
        "Write the bare name or IP address, and the port into `port`.",
    ),
    finding(
        codes::PORT_ZERO,
        "port 0",
        "A peer cannot dial port 0, and a daemon that listens there would have another port at each start.",
        "Leave the port out for the usual one, or write the one you want.",
    ),
    finding(
        codes::BAD_LISTEN,
        "no address to listen on",
        "`listen` takes the addresses of this machine, not names: which address a name has can change.",
        "Write an IP address, one with a port, or `*` for all of them.",
    ),
    finding(
        codes::DUPLICATE_LISTEN,
        "an address to listen on is listed twice",
        "The second could not be opened, because the first has it.",
        "Remove one of the two; remember that `*` has all of them in it.",
    ),
    finding(
        codes::HALF_CERTIFICATE,
        "a certificate without its key, or a key without its certificate",
        "Only both together let a daemon prove who it is.",
        "Name both files, or neither.",
    ),
    finding(
        codes::PSK_NOT_BUILT,
        "pre-shared keys are needed and not built in",
        "The configuration protects this peer with its password alone, and this program was built without the feature `psk`.",
        "Use a build with the feature, or configure certificates for this peer.",
    ),
    finding(
        codes::NO_TLS_METHOD,
        "no way to protect a connection is left",
        "Pre-shared keys are switched off and no certificate is configured, so every connection would fail.",
        "Remove `psk: false`, or configure a certificate.",
    ),
    finding(
        codes::TLS_CONTRADICTION,
        "TLS settings that contradict each other",
        "One setting has no effect or cannot work because of another one of the same resource.",
        "Keep the one you mean; the message names both.",
    ),
    finding(
        codes::UNVERIFIED,
        "a certificate that is not verified",
        "The connection is encrypted, but anybody in between can pose as the peer.",
        "Name the authority that signs the peers' certificates as `ca`, and let verification on.",
    ),
    finding(
        codes::NO_DIRECTION,
        "nobody may dial",
        "Director and client are both told to wait for the other, so they will never meet.",
        "Allow one of the two directions.",
    ),
    finding(
        codes::NO_ADDRESS,
        "a daemon that must be dialled has no address",
        "This side has to dial the other by its role, and does not know where it is.",
        "Add `address`, or let the other side dial if it can.",
    ),
    finding(
        codes::ZERO,
        "0 where it makes no sense",
        "With this limit or duration at 0 nothing could ever run, or nothing would ever be kept.",
        "Leave the field out for its default, or choose a larger value.",
    ),
    finding(
        codes::EMPTY,
        "something is empty that must not be",
        "The resource needs at least one entry or some text here to do its work.",
        "Add what the message names.",
    ),
    finding(
        codes::OUT_OF_RANGE,
        "a number outside of its range",
        "The protocol or the volume format cannot hold this value.",
        "Choose a value within the bounds of the message.",
    ),
    finding(
        codes::RELATIVE_PATH,
        "a path that is not absolute",
        "The daemon's current folder is not yours, so the path would mean another place.",
        "Write the path from the root on.",
    ),
    finding(
        codes::SHARED_FOLDER,
        "two devices share one folder",
        "Both devices would find the same volumes, and two jobs could want one of them at the same time.",
        "Give each device a folder of its own, or another media type.",
    ),
    finding(
        codes::CONTRADICTION,
        "settings that contradict each other",
        "Two settings of the resource cannot both do what they say.",
        "Remove or change one of those in the message.",
    ),
    finding(
        codes::NO_HEARTBEAT,
        "no heartbeats",
        "Without them a peer that has vanished is noticed after hours only, and firewalls forget connections that are idle.",
        "Leave `heartbeat_interval` out for one a minute.",
    ),
    finding(
        codes::LABEL_FORMAT,
        "names of volumes cannot be made so",
        "The `label_format` of a pool has a dollar sign, so it holds variables. One of them is not known, is not written as a variable is, or the names \
         that come of it have letters that no name of a volume can have.",
        "Write variables as the message shows them, at the place that it names; see `label_format` in the reference.",
    ),
    finding(
        codes::NOT_FOR_JOBS,
        "no command that a job can have done",
        "With `console` in `run_scripts` the director does a console's command for a job. Only those are done that need nobody beside them.",
        "Use one of those that the message names, or let the schedule of a job of its own do it.",
    ),
    finding(
        codes::CLEAR_CATALOG,
        "the catalog's server would be reached in clear text",
        "Connections to PostgreSQL have no TLS without `tls`, and the host is not the director's own machine. Names of files \
         and everything else in the catalog could be read and changed on the way.",
        "Set `tls: verify_full` and have the server take TLS, or run it beside the director and name its Unix socket or a \
         loopback address. If a tunnel or a network of its own protects the way, say so with `clear_text: true`.",
    ),
    finding(
        codes::CATALOG_SETTING,
        "a setting of the catalog cannot work",
        "The value has the right type, and no server could use it, or no job would survive a restart of the server.",
        "Write the value as the message says.",
    ),
    finding(
        codes::UNSHARED,
        "a LAN address or a network that nobody shares",
        "The address would count only towards a daemon that has a LAN address, or names the same network, and none does. \
         Often the name of the network is misspelt on one side.",
        "Give the other side one too, or correct the name. `explain client=NAME storage=NAME` shows what counts.",
    ),
    finding(
        codes::SLOW_LIMIT,
        "a bandwidth limit that lets next to nothing through",
        "The limit is in bytes a second, and so small that a backup of any size takes weeks. Most often a number was \
         written that was meant in kilobytes, or in bits.",
        "Write the unit, such as `maximum_bandwidth_per_job: \"300 KiB\"`, or leave it out for no limit.",
    ),
    finding(
        codes::UNMATCHED,
        "a fileset leaves out what no path can match",
        "Wildcards are compared with whole paths from the root, which no relative path and no `..` is part of, and names \
         of files with single names. What was to be left out would be saved.",
        "Write the path from the root, `*/NAME` for a name in any folder, and `*.end` for all names with this end.",
    ),
    finding(
        codes::UNSUPPORTED,
        "a setting is not supported yet",
        "The setting is known, and nothing acts on this value of it yet. It is refused, because a setting that silently does \
         nothing would be relied on. The message says what happens instead.",
        "Remove the setting.",
    ),
    finding(
        codes::EXAMPLE_PASSWORD,
        "a password of an example",
        "The password begins with `change-me`, as those of the examples do. Everybody knows them.",
        "Write a long random password, the same on both sides.",
    ),
    finding(
        codes::READABLE_BY_ALL,
        "everybody may read a file with secrets",
        "The configuration with its passwords, or a private key, can be read by every user of this machine. Whoever has a \
         password of a daemon can read and overwrite files through it.",
        "Take the right away: `chmod o-r FILE`. The user of the daemon must still be able to read it.",
    ),
    finding(
        codes::MISSING_FOLDER,
        "a folder is missing",
        "The configuration names a folder, or a file in a folder, that is not there or is no folder. Without the folder of the \
         catalog or the working directory a daemon does not start; without that of a device its jobs fail until it comes.",
        "Make the folder, mount its disk, or correct the name.",
    ),
    finding(
        codes::BOTH_DIRECTIONS,
        "both sides are to dial, and one cannot be dialled",
        "The client may dial the director and the director the client, but there is nothing for the director to dial: the \
         client has no address there, or does not listen. Only the client's own connections are used.",
        "Give the client an address or let it listen, or set `connection_from_director_to_client: false` on that side.",
    ),
    finding(
        codes::GATEWAY_LOOP,
        "gateways lead in a circle",
        "Each gateway names the network on its other side, and following these from network to network never comes to the one \
         that has no gateway.",
        "In the topology, correct which network a gateway leads to, so that the way outwards ends at the network around all others.",
    ),
    finding(
        codes::ADDRESS_TWICE,
        "two hosts have the same address",
        "Two hosts of one network cannot have one address: what is sent there would reach one of them by chance.",
        "Give one of the hosts another address, or make them one host with several daemons.",
    ),
    finding(
        codes::OUTSIDE,
        "an address is not in its network",
        "The network says which addresses are in it, and this host, gateway or forwarded port has another one.",
        "Correct the address, or add its range to the network.",
    ),
    finding(
        codes::SHADOWED,
        "a rule never decides",
        "The first rule that fits a connection counts. An earlier rule, or an earlier forwarded port, fits all that this one is \
         about.",
        "Remove the rule, or put it before the one that is more general.",
    ),
    finding(
        codes::UNPLACED,
        "a daemon is on no host",
        "The director's configuration has a client or a storage that no host of the topology runs. What becomes of its jobs \
         cannot be said.",
        "Name the daemon on its host in the topology.",
    ),
    finding(
        codes::CONF_SYNTAX,
        "the configuration is not valid in Bareos' syntax",
        "A brace or a quote is missing or too many, or a word stands where no resource or directive can begin. Reading stopped \
         there; the mistake may be a little before it.",
        "Look at the marked place and the resource before it. Each brace and each quote that opens needs one that closes.",
    ),
    finding(
        codes::MISSING_INCLUDE,
        "an included file cannot be read",
        "A word that begins with an at sign names a file that does not exist or that this user may not read. A name with wildcards may match \
         nothing; one without must be there. Relative names start where the program was started.",
        "Correct the name, let the user of the daemon read the file, or remove the line.",
    ),
    finding(
        codes::RECURSIVE_INCLUDE,
        "files include each other without end",
        "A file includes itself, directly or through others, or the includes are nested deeper than anybody needs.",
        "Follow the chain of includes from the marked place, and break it.",
    ),
    finding(
        codes::FAILED_INCLUDE,
        "a command whose output is included has failed",
        "An at sign and a vertical bar run a command and read what it prints. It could not be started, ended with an error, \
         took too long, or printed too much. It is run without a shell, unless it begins with one.",
        "Run the command by hand as the user of the daemon. It must end by itself, with exit code 0.",
    ),
    finding(
        codes::UNKNOWN_RESOURCE,
        "unknown resource",
        "The program has no resource of this name. Often the file belongs to another program, or a closing brace is one too many.",
        "Use the name suggested, or move the resource to the program that it is for.",
    ),
    finding(
        codes::UNKNOWN_DIRECTIVE,
        "unknown directive",
        "The resource has no directive of this name. It is refused, because a misspelt one would silently do nothing. The \
         directives of Bareos that there are, and what becomes of each, are in the table of directives in the docs.",
        "Use the name suggested, move the directive to the resource it belongs into, or remove it.",
    ),
    finding(
        codes::WITHOUT_EFFECT,
        "a directive has no effect",
        "Towline knows the directive and does not act on it; the message says what happens instead. It is accepted, so that \
         a configuration of Bareos can be used as it is.",
        "Check that what happens instead is all right. Remove the directive to be rid of the warning.",
    ),
    finding(
        codes::REFUSED_DIRECTIVE,
        "a directive is refused",
        "Towline knows the directive and does not act on it, and leaving it out of account would lose data or let somebody in \
         who should not.",
        "Do what the message says, or remove the directive if what it protects from is of no concern.",
    ),
    finding(
        codes::DISABLED,
        "a job is disabled or left out",
        "The job asks for something that is not supported and without which it might save nothing useful, such as a script \
         that writes what is to be saved. So it is not run at all, while the rest of the configuration works.",
        "Remove the directive if the job is right without it, or let another program do that part.",
    ),
    finding(
        codes::REFUSED_RUN,
        "a line of a schedule cannot be kept",
        "A run line names days, times or changes of the job that a schedule cannot hold, or that are no days and times.",
        "Write the line as the message says. What a line would change of a job needs a job of its own.",
    ),
    finding(
        codes::NO_CONFIGURATION,
        "a folder has no configuration, or two",
        "A folder was named as the configuration. It must have exactly one: a file of Towline's own, or what Bareos has there, \
         a single file or a tree.",
        "Name the file itself, or make the folder have one of the names in the message.",
    ),
];
