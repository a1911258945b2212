"""Numbers of the Mach-O format and of code signatures, by name. No behaviour.

Sources: ``mach-o/loader.h``, ``mach-o/fat.h``, ``mach/machine.h`` of https://github.com/apple-oss-distributions/xnu
(``EXTERNAL_HEADERS/mach-o``, ``osfmk/mach``), ``osfmk/kern/cs_blobs.h`` there, and ``mach-o/utils`` of dyld.
"""

from typing import Final

THIN_MAGICS: Final = {
    b"\xfe\xed\xfa\xce": (">", 32),
    b"\xce\xfa\xed\xfe": ("<", 32),
    b"\xfe\xed\xfa\xcf": (">", 64),
    b"\xcf\xfa\xed\xfe": ("<", 64),
}
FAT_MAGIC: Final = b"\xca\xfe\xba\xbe"
FAT_MAGIC_64: Final = b"\xca\xfe\xba\xbf"
#: A Java class file begins as a fat file does; its next word holds its version, 45 or more.
MAX_FAT_SLICES: Final = 44

FILE_TYPES: Final = {
    1: "object",
    2: "executable",
    3: "fixed-vm-library",
    4: "core",
    5: "preload",
    6: "library",
    7: "linker",
    8: "bundle",
    9: "library-stub",
    10: "dsym",
    11: "kext",
    12: "fileset",
}

# (cputype, cpusubtype without its capability bits); a subtype of None stands for all others
ARCHITECTURES: Final[dict[tuple[int, int | None], str]] = {
    (7, None): "i386",
    (0x01000007, None): "x86_64",
    (0x01000007, 8): "x86_64h",
    (12, None): "arm",
    (12, 5): "armv4t",
    (12, 6): "armv6",
    (12, 7): "armv5",
    (12, 8): "xscale",
    (12, 9): "armv7",
    (12, 11): "armv7s",
    (12, 12): "armv7k",
    (12, 14): "armv6m",
    (12, 15): "armv7m",
    (12, 16): "armv7em",
    (0x0100000C, None): "arm64",
    (0x0100000C, 2): "arm64e",
    (0x0200000C, None): "arm64_32",
    (18, None): "ppc",
    (0x01000012, None): "ppc64",
    (6, None): "m68k",
    (11, None): "hppa",
    (13, None): "m88k",
    (14, None): "sparc",
    (15, None): "i860",
}

PLATFORMS: Final = {
    1: "macos",
    2: "ios",
    3: "tvos",
    4: "watchos",
    5: "bridgeos",
    6: "mac-catalyst",
    7: "ios-simulator",
    8: "tvos-simulator",
    9: "watchos-simulator",
    10: "driverkit",
    11: "visionos",
    12: "visionos-simulator",
}

LC_REQ_DYLD: Final = 0x80000000
LC_SEGMENT: Final = 0x1
LC_SYMTAB: Final = 0x2
LC_UNIXTHREAD: Final = 0x5
LC_LOAD_DYLIB: Final = 0xC
LC_ID_DYLIB: Final = 0xD
LC_LOAD_DYLINKER: Final = 0xE
LC_ROUTINES_64: Final = 0x1A
LC_SEGMENT_64: Final = 0x19
LC_UUID: Final = 0x1B
LC_CODE_SIGNATURE: Final = 0x1D
LC_LAZY_LOAD_DYLIB: Final = 0x20
LC_ENCRYPTION_INFO: Final = 0x21
LC_ENCRYPTION_INFO_64: Final = 0x2C
LC_BUILD_VERSION: Final = 0x32
LC_LOAD_WEAK_DYLIB: Final = 0x18 | LC_REQ_DYLD
LC_RPATH: Final = 0x1C | LC_REQ_DYLD
LC_REEXPORT_DYLIB: Final = 0x1F | LC_REQ_DYLD
LC_LOAD_UPWARD_DYLIB: Final = 0x23 | LC_REQ_DYLD
LC_DYLD_CHAINED_FIXUPS: Final = 0x34 | LC_REQ_DYLD
LIBRARY_COMMANDS: Final = frozenset(
    {LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB, LC_LOAD_UPWARD_DYLIB, LC_LAZY_LOAD_DYLIB}
)
VERSION_MIN: Final = {0x24: "macos", 0x25: "ios", 0x2F: "tvos", 0x30: "watchos"}
#: The highest load command that loader.h names today (LC_TARGET_TRIPLE is 0x39).
LAST_KNOWN_COMMAND: Final = 0x3A

MH_ALLOW_STACK_EXECUTION: Final = 0x20000
MH_PIE: Final = 0x200000
MH_NO_HEAP_EXECUTION: Final = 0x1000000

CSMAGIC_REQUIREMENTS: Final = 0xFADE0C01
CSMAGIC_CODE_DIRECTORY: Final = 0xFADE0C02
CSMAGIC_SUPER_BLOB: Final = 0xFADE0CC0
CSMAGIC_ENTITLEMENTS: Final = 0xFADE7171
CSMAGIC_ENTITLEMENTS_DER: Final = 0xFADE7172
CSMAGIC_CMS: Final = 0xFADE0B01
CSSLOT_ALTERNATE: Final = 0x1000
CSSLOT_ALTERNATE_LIMIT: Final = 0x1005
CSSLOT_CMS: Final = 0x10000
#: Slots whose hashes stand before the pages': those that lie within the file can be checked.
SPECIAL_SLOTS: Final = {2: "requirements", 5: "entitlements", 7: "entitlements-der"}
KNOWN_SLOTS: Final = {
    0: "code-directory",
    1: "info-plist",
    2: "requirements",
    3: "resources",
    4: "application",
    5: "entitlements",
    6: "representation",
    7: "entitlements-der",
    8: "launch-constraint-self",
    9: "launch-constraint-parent",
    10: "launch-constraint-responsible",
    11: "library-constraint",
    0x10000: "cms",
    0x10001: "identification",
    0x10002: "ticket",
}
CODE_FLAGS: Final = {
    0x2: "adhoc",
    0x4: "get-task-allow",
    0x100: "hard",
    0x200: "kill",
    0x400: "check-expiration",
    0x800: "restrict",
    0x1000: "enforcement",
    0x2000: "library-validation",
    0x10000: "runtime",
    0x20000: "linker-signed",
}
# hash type: (name, algorithm of hashlib, bytes kept)
HASH_TYPES: Final = {
    1: ("sha1", "sha1", 20),
    2: ("sha256", "sha256", 32),
    3: ("sha256-truncated", "sha256", 20),
    4: ("sha384", "sha384", 48),
}
