//! The codes of everything that can be wrong with a configuration. They never change their meaning.

use crate::error::Code;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal;)+) => {
        $($(#[doc = $doc])+ pub const $name: Code = Code($number);)+

        /// Every code and what it stands for.
        pub const ALL: &[(Code, &str)] = &[$(($name, concat!($($doc),+))),+];
    };
}

codes! {
    /// An address is of one link, and nothing says of which.
    NO_SCOPE = 114;
    /// An entry of an access list is no regular expression.
    BAD_EXPRESSION = 770;
    /// An entry of an access list is never reached.
    NEVER_REACHED = 771;
    /// The file cannot be read.
    UNREADABLE = 801;
    /// The file is larger than a configuration can be.
    TOO_LARGE = 802;
    /// The text is not valid RON.
    SYNTAX = 803;
    /// A resource has no field of this name.
    UNKNOWN_FIELD = 804;
    /// A field does not know this value.
    UNKNOWN_VALUE = 805;
    /// A required field is missing.
    MISSING_FIELD = 806;
    /// A field is given twice.
    DUPLICATE_FIELD = 807;
    /// A value has the wrong type or is out of range.
    WRONG_VALUE = 808;
    /// A file named in the configuration cannot be read.
    UNREADABLE_CERTIFICATE = 809;
    /// A certificate or key file holds nothing of its kind.
    EMPTY_CERTIFICATE = 810;
    /// A name refers to nothing.
    UNKNOWN_REFERENCE = 820;
    /// Two resources of a kind have the same name.
    DUPLICATE_NAME = 821;
    /// A name cannot go over the wire.
    BAD_NAME = 822;
    /// A password cannot be used.
    BAD_PASSWORD = 823;
    /// An address is no host name and no IP address.
    BAD_ADDRESS = 824;
    /// A port is 0.
    PORT_ZERO = 825;
    /// An address to listen on is no IP address.
    BAD_LISTEN = 826;
    /// An address to listen on is listed twice.
    DUPLICATE_LISTEN = 827;
    /// A certificate has no private key, or a key no certificate.
    HALF_CERTIFICATE = 828;
    /// Pre-shared keys are needed, but this program is built without them.
    PSK_NOT_BUILT = 829;
    /// Neither pre-shared keys nor a certificate are left.
    NO_TLS_METHOD = 830;
    /// TLS settings contradict each other.
    TLS_CONTRADICTION = 831;
    /// A certificate of the peer is not verified.
    UNVERIFIED = 832;
    /// Nobody may dial.
    NO_DIRECTION = 833;
    /// A daemon must be dialled and has no address.
    NO_ADDRESS = 834;
    /// A limit or duration is 0 and must not be.
    ZERO = 835;
    /// A list that needs an entry is empty.
    EMPTY = 836;
    /// A number is outside of its range.
    OUT_OF_RANGE = 837;
    /// A path is not absolute.
    RELATIVE_PATH = 838;
    /// Two devices share one folder.
    SHARED_FOLDER = 839;
    /// Settings of a resource contradict each other.
    CONTRADICTION = 840;
    /// Without heartbeats a vanished peer is noticed after hours.
    NO_HEARTBEAT = 841;
    /// The names of volumes cannot be made so.
    LABEL_FORMAT = 843;
    /// A job cannot have this command of a console done.
    NOT_FOR_JOBS = 844;
    /// The catalog's server is on another machine, and the way there is in clear text.
    CLEAR_CATALOG = 845;
    /// A setting of the catalog is no use for its server.
    CATALOG_SETTING = 846;
    /// A LAN address or a network has no other side.
    UNSHARED = 847;
    /// A bandwidth limit lets next to nothing through.
    SLOW_LIMIT = 848;
    /// What a fileset leaves out matches nothing.
    UNMATCHED = 849;
    /// A setting is known, but nothing acts on it yet.
    UNSUPPORTED = 850;
    /// A password is one that an example has.
    EXAMPLE_PASSWORD = 851;
    /// Everybody on this machine may read a file with secrets.
    READABLE_BY_ALL = 852;
    /// A folder that the configuration names is not there.
    MISSING_FOLDER = 853;
    /// Both sides are to dial, and one of them cannot be dialled.
    BOTH_DIRECTIONS = 854;
    /// Gateways of a topology lead in a circle.
    GATEWAY_LOOP = 855;
    /// Two hosts of a topology have the same address.
    ADDRESS_TWICE = 856;
    /// An address of a topology is not in its network.
    OUTSIDE = 857;
    /// A rule of a topology never decides.
    SHADOWED = 858;
    /// A daemon is on no host of a topology.
    UNPLACED = 859;
    /// A text in Bareos' syntax is broken.
    CONF_SYNTAX = 860;
    /// A file that is included cannot be read.
    MISSING_INCLUDE = 861;
    /// Files include each other in a circle, or too deeply.
    RECURSIVE_INCLUDE = 862;
    /// A command whose output is included does not do its work.
    FAILED_INCLUDE = 863;
    /// A program of Bareos has no resource of this name.
    UNKNOWN_RESOURCE = 864;
    /// A resource has no directive of this name.
    UNKNOWN_DIRECTIVE = 865;
    /// A directive is known, and has no effect.
    WITHOUT_EFFECT = 866;
    /// A directive is known, and refused.
    REFUSED_DIRECTIVE = 867;
    /// A job is disabled or left out, because something it needs is not supported.
    DISABLED = 868;
    /// A line of a schedule cannot be kept.
    REFUSED_RUN = 869;
    /// A folder has no configuration, or two.
    NO_CONFIGURATION = 870;
    /// A version of TLS or a cipher suite is not known, or none is left that fits.
    TLS_TERMS = 875;
    /// Words in a list of ciphers mean nothing here.
    UNKNOWN_CIPHERS = 876;
    /// A topology has more hosts or networks than a plan can have.
    WORLD_TOO_LARGE = 879;
    /// What is to erase files cannot.
    ERASE_COMMAND = 967;
    /// The kind of a device and its address do not go together.
    STORE_ADDRESS = 971;
    /// A setting of a store of objects is no use.
    STORE_SETTING = 972;
    /// A store of objects is on another machine, and the way there is in clear text.
    CLEAR_STORE = 973;
    /// Other machines can ask for the director's state in clear text.
    CLEAR_METRICS = 990;
}
