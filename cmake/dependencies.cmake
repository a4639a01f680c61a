# Everything but libssh2 comes from the distribution, found by pkg-config.
find_package(PkgConfig REQUIRED)

pkg_check_modules(libuv REQUIRED IMPORTED_TARGET libuv>=1.40)
pkg_check_modules(libxml2 REQUIRED IMPORTED_TARGET libxml-2.0)
pkg_check_modules(jansson REQUIRED IMPORTED_TARGET jansson>=2.12)
pkg_check_modules(libcrypto REQUIRED IMPORTED_TARGET libcrypto)
include(libssh2)
# Headers only: the peer loads the library at run time, where a node has it.
pkg_check_modules(libvirt REQUIRED libvirt>=7.0)

# One library, three names: Debian 12 says msgpack, later ones msgpack-c, others msgpackc.
foreach(name msgpack-c msgpackc msgpack)
	if(NOT msgpack_FOUND)
		pkg_check_modules(msgpack QUIET ${name})
	endif()
endforeach()
if(NOT msgpack_FOUND)
	message(FATAL_ERROR "msgpack-c is missing (Debian: libmsgpack-dev)")
endif()

# The pushed peer must need nothing but libc on the node: these go in as archives.
find_library(MSGPACK_ARCHIVE NAMES libmsgpackc.a libmsgpack-c.a
	HINTS ${msgpack_LIBRARY_DIRS} REQUIRED)
find_library(LIBMD_ARCHIVE NAMES libmd.a REQUIRED)
find_library(JANSSON_ARCHIVE NAMES libjansson.a HINTS ${jansson_LIBRARY_DIRS} REQUIRED)

if(CPUHERD_TESTS)
	pkg_check_modules(cmocka REQUIRED IMPORTED_TARGET cmocka)
endif()
