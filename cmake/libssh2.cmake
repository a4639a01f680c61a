# Which libssh2: Debian 12's 1.10 cannot speak to hardened servers, so scripts/get-libssh2
# builds a newer one beside it.  Makes the target cpuherd_libssh2 of
# libssh2_VERSION; PkgConfig::libssh2 of libssh2_SYSTEM_VERSION is what the system has.
set(CPUHERD_LIBSSH2 "auto" CACHE STRING
	"auto: what scripts/get-libssh2 has built, else the system's; system; or a prefix")

pkg_check_modules(libssh2 REQUIRED IMPORTED_TARGET libssh2>=1.10)
set(libssh2_SYSTEM_VERSION ${libssh2_VERSION})

# The newest that scripts/get-libssh2 has built; empty where there is none.
function(find_built_libssh2 out)
	set(cache "$ENV{XDG_CACHE_HOME}")
	if(NOT cache)
		set(cache "$ENV{HOME}/.cache")
	endif()
	file(GLOB archives "${cache}/cpuherd/libssh2-[0-9]*/lib/libssh2.a")
	list(SORT archives COMPARE NATURAL ORDER DESCENDING)
	set(${out} "" PARENT_SCOPE)
	if(archives)
		list(GET archives 0 newest)
		cmake_path(GET newest PARENT_PATH lib)
		cmake_path(GET lib PARENT_PATH prefix)
		set(${out} "${prefix}" PARENT_SCOPE)
	endif()
endfunction()

# Sets VERSION, LIBRARY and INCLUDE of the libssh2 in a prefix.
function(look_into_prefix prefix)
	find_library(library NAMES libssh2.a ssh2 PATHS "${prefix}"
		PATH_SUFFIXES lib lib64 lib/${CMAKE_LIBRARY_ARCHITECTURE}
		NO_DEFAULT_PATH NO_CACHE)
	set(header "${prefix}/include/libssh2.h")
	if(NOT library OR NOT EXISTS "${header}")
		message(FATAL_ERROR "CPUHERD_LIBSSH2: no lib/libssh2.a or .so with its "
			"include/libssh2.h in ${prefix}; auto, system and a prefix are known")
	endif()
	file(STRINGS "${header}" line REGEX "define LIBSSH2_VERSION ")
	string(REGEX MATCH "[0-9]+[.][0-9.]+" version "${line}")
	set(libssh2_VERSION "${version}" PARENT_SCOPE)
	set(libssh2_LIBRARY "${library}" PARENT_SCOPE)
	set(libssh2_INCLUDE "${prefix}/include" PARENT_SCOPE)
endfunction()

set(prefix "")
if(CPUHERD_LIBSSH2 STREQUAL "auto")
	find_built_libssh2(built)
	if(built)
		look_into_prefix("${built}")
		if(libssh2_VERSION VERSION_GREATER libssh2_SYSTEM_VERSION)
			set(prefix "${built}")
		endif()
	endif()
elseif(NOT CPUHERD_LIBSSH2 STREQUAL "system")
	set(prefix "${CPUHERD_LIBSSH2}")
	look_into_prefix("${prefix}")
endif()

if(prefix)
	add_library(cpuherd_libssh2 UNKNOWN IMPORTED GLOBAL)
	set_target_properties(cpuherd_libssh2 PROPERTIES
		IMPORTED_LOCATION "${libssh2_LIBRARY}"
		INTERFACE_INCLUDE_DIRECTORIES "${libssh2_INCLUDE}"
		INTERFACE_LINK_LIBRARIES PkgConfig::libcrypto)
else()
	set(libssh2_VERSION ${libssh2_SYSTEM_VERSION})
	set(prefix "the system's")
	add_library(cpuherd_libssh2 INTERFACE)
	target_link_libraries(cpuherd_libssh2 INTERFACE PkgConfig::libssh2)
endif()
if(libssh2_VERSION VERSION_LESS 1.10)
	message(FATAL_ERROR "libssh2 ${libssh2_VERSION} is too old: 1.10 at least")
endif()
message(STATUS "libssh2 ${libssh2_VERSION} (${prefix})")
if(libssh2_VERSION VERSION_LESS 1.11.1)
	message(STATUS "  RSA keys and hardened servers do not work with it; "
		"scripts/get-libssh2 builds a newer one")
endif()
