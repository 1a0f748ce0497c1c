//! Stream numbers and file types: what a record holds, `wire/2 §2.4` and `wire/2 §2.6`.

/// The number of a stream: what the bytes of a record mean, `wire/2 §2.6`.
///
/// The low 11 bits are the type; senders set no higher bit, receivers mask them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stream(pub i32);

impl Stream {
    /// The bits that say what the stream is.
    pub const TYPE_MASK: i32 = 0x7ff;

    /// Attribute record of a Unix client.
    pub const ATTRIBUTES: Self = Self(1);
    /// Plain bytes of a file.
    pub const FILE_DATA: Self = Self(2);
    /// MD5, 16 bytes.
    pub const MD5: Self = Self(3);
    /// zlib without a compression header, from old clients.
    pub const GZIP_LEGACY: Self = Self(4);
    /// Attribute record with Windows attributes.
    pub const ATTRIBUTES_EXTENDED: Self = Self(5);
    /// Eight bytes of file offset, then plain bytes.
    pub const SPARSE: Self = Self(6);
    /// Offset and zlib without a compression header, from old clients.
    pub const SPARSE_GZIP_LEGACY: Self = Self(7);
    /// SHA-1, 20 bytes.
    pub const SHA1: Self = Self(10);
    /// POSIX access ACL as text, from old clients.
    pub const ACL_ACCESS_LEGACY: Self = Self(15);
    /// POSIX default ACL as text, from old clients.
    pub const ACL_DEFAULT_LEGACY: Self = Self(16);
    /// SHA-256, 32 bytes.
    pub const SHA256: Self = Self(17);
    /// SHA-512, 64 bytes.
    pub const SHA512: Self = Self(18);
    /// Signed digest, DER.
    pub const SIGNED_DIGEST: Self = Self(19);
    /// Encrypted file bytes.
    pub const ENCRYPTED: Self = Self(20);
    /// Session key for the encrypted bytes that follow, DER.
    pub const ENCRYPTION_SESSION: Self = Self(22);
    /// Encrypted bytes, zlib without a compression header before encryption, from old clients.
    pub const ENCRYPTED_GZIP_LEGACY: Self = Self(23);
    /// Name of the plugin that the records around belong to.
    pub const PLUGIN_NAME: Self = Self(26);
    /// Data of a plugin.
    pub const PLUGIN_DATA: Self = Self(27);
    /// Restore object of a plugin.
    pub const RESTORE_OBJECT: Self = Self(28);
    /// Twelve bytes of compression header, then compressed bytes.
    pub const COMPRESSED: Self = Self(29);
    /// Offset, compression header, compressed bytes.
    pub const SPARSE_COMPRESSED: Self = Self(30);
    /// Encrypted bytes that were compressed before.
    pub const ENCRYPTED_COMPRESSED: Self = Self(32);
    /// XXH3-128, 16 bytes.
    pub const XXH128: Self = Self(40);
    /// Linux default ACL as text with a NUL.
    pub const ACL_LINUX_DEFAULT: Self = Self(1007);
    /// Linux access ACL as text with a NUL.
    pub const ACL_LINUX_ACCESS: Self = Self(1008);
    /// Extended attributes of Linux.
    pub const XATTR_LINUX: Self = Self(1998);

    /// Towline's own, never on a volume: the storage daemon could not read all records of this file. Others pass over it
    /// with a warning.
    pub const DAMAGED: Self = Self(2046);

    /// The number without the flag bits.
    #[must_use]
    pub const fn kind(self) -> Self {
        Self(self.0 & Self::TYPE_MASK)
    }

    /// Whether the record is an attribute record, with which a file begins.
    #[must_use]
    pub const fn is_attributes(self) -> bool {
        matches!(self.kind(), Self::ATTRIBUTES | Self::ATTRIBUTES_EXTENDED)
    }

    /// Whether the record is a digest of the file's bytes (the signed digest is not one of them).
    #[must_use]
    pub const fn is_digest(self) -> bool {
        matches!(self.kind(), Self::MD5 | Self::SHA1 | Self::SHA256 | Self::SHA512 | Self::XXH128)
    }

    /// Whether the storage daemon tells the director of such records too, `wire/3 §2.4`.
    #[must_use]
    pub const fn is_for_catalog(self) -> bool {
        self.is_attributes() || self.is_digest() || self.kind().0 == Self::RESTORE_OBJECT.0
    }

    /// Whether the records hold the contents of a file.
    #[must_use]
    pub const fn is_data(self) -> bool {
        matches!(self.kind().0, 2 | 4 | 6 | 7 | 11 | 12 | 20 | 21 | 23 | 24 | 29..=33)
    }

    /// Whether every record begins with eight bytes of file offset.
    #[must_use]
    pub const fn has_offset(self) -> bool {
        matches!(self.kind().0, 6 | 7 | 30)
    }

    /// Whether every record has a compression header, after the offset if there is one, `wire/2 §2.10`.
    #[must_use]
    pub const fn has_compression_header(self) -> bool {
        matches!(self.kind().0, 29 | 30)
    }

    /// Whether the record is an access control list of any system.
    #[must_use]
    pub const fn is_acl(self) -> bool {
        matches!(self.kind().0, 15 | 16 | 1000..=1020)
    }

    /// Whether the record holds extended attributes of any system.
    #[must_use]
    pub const fn is_xattr(self) -> bool {
        matches!(self.kind().0, 1988..=1999)
    }

    /// Whether the notes know the number at all.
    #[must_use]
    pub const fn is_known(self) -> bool {
        matches!(self.kind().0, 1..=14 | 17..=33 | 40 | 999 | 2046) || self.is_acl() || self.is_xattr()
    }
}

impl std::fmt::Display for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! file_types {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        /// What an entry of a backup is, `wire/2 §2.4`. Numbers 7 to 15 and 18 to 22 never go into a record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FileType {$($(#[$doc])* $name = $number,)*}

        impl FileType {
            /// The type for a number as sent; only the low 16 bits count.
            #[must_use]
            pub const fn from_number(number: u32) -> Option<Self> {
                match number & 0xffff {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

file_types! {
    /// Another name of a file that is already saved.
    HardLink = 1;
    /// Regular file without bytes that everybody may read.
    RegularEmpty = 2;
    /// Regular file.
    Regular = 3;
    /// Symbolic link.
    Symlink = 4;
    /// Directory, after its contents.
    Directory = 5;
    /// Character or block device, fifo, socket.
    Special = 6;
    /// Could not be opened.
    NoAccess = 7;
    /// Symbolic link that was not followed.
    NoFollow = 8;
    /// Could not be looked at.
    NoStat = 9;
    /// Not changed since the last backup.
    Unchanged = 10;
    /// Directory that has not changed.
    DirectoryUnchanged = 11;
    /// Archive file, skipped.
    Archive = 12;
    /// Directory that was not descended into.
    NoRecurse = 13;
    /// Directory on another file system.
    OtherFileSystem = 14;
    /// Directory that could not be opened.
    NoOpen = 15;
    /// Block device whose bytes are saved.
    Raw = 16;
    /// Fifo whose bytes are saved.
    Fifo = 17;
    /// Directory, before its contents.
    DirectoryBegin = 18;
    /// Directory on a file system that is not wanted.
    BadFileSystem = 19;
    /// Windows drive that is not wanted.
    BadDrive = 20;
    /// NTFS reparse point.
    Reparse = 21;
    /// Comes from a plugin.
    Plugin = 22;
    /// Was there at the last backup and is gone.
    Deleted = 23;
    /// Is in the base job.
    Base = 24;
    /// Restore object that is restored before all else.
    RestoreFirst = 25;
    /// NTFS junction.
    Junction = 26;
    /// Configuration of a plugin.
    PluginConfig = 27;
    /// Configuration of a plugin with values.
    PluginConfigFilled = 28;
}

impl FileType {
    /// The number as sent.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// Whether its name ends in a slash.
    #[must_use]
    pub const fn is_directory(self) -> bool {
        matches!(self, Self::Directory | Self::Reparse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_bits_do_not_change_what_a_stream_is() {
        let flagged = Stream(Stream::SPARSE.0 | 1 << 30 | 1 << 26);
        assert!(flagged.is_data() && flagged.has_offset());
        assert_eq!(flagged.kind(), Stream::SPARSE);
        assert_eq!(Stream(1998).kind(), Stream::XATTR_LINUX);
    }

    #[test]
    fn the_catalog_hears_of_attributes_restore_objects_and_digests_only() {
        let told: Vec<i32> = (0..=2047).filter(|&n| Stream(n).is_for_catalog()).collect();
        assert_eq!(told, [1, 3, 5, 10, 17, 18, 28, 40]);
    }

    #[test]
    fn file_types_keep_their_number_and_ignore_the_legacy_bit() {
        for number in 1..=28 {
            assert_eq!(FileType::from_number(number).map(FileType::number), Some(number));
        }
        assert_eq!(FileType::from_number(0x1_0003), Some(FileType::Regular));
        assert_eq!(FileType::from_number(0), None);
        assert_eq!(FileType::from_number(29), None);
    }
}
