# How everything is compiled: one interface target that every target links.
option(CPUHERD_WERROR "Treat warnings as errors" OFF)
option(CPUHERD_TESTS "Build the tests" ON)
set(CPUHERD_SANITIZE "" CACHE STRING "Value for -fsanitize=, for example address,undefined")

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

add_library(cpuherd_options INTERFACE)
target_include_directories(cpuherd_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(cpuherd_options INTERFACE
	_GNU_SOURCE CPUHERD_VERSION="${PROJECT_VERSION}")
target_compile_options(cpuherd_options INTERFACE
	-Wall -Wextra -Wpedantic -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes
	-Wwrite-strings -Wformat=2 -Wno-format-nonliteral -fno-common -fstack-protector-strong
	$<$<BOOL:${CPUHERD_WERROR}>:-Werror>)
if(CPUHERD_SANITIZE)
	target_compile_options(cpuherd_options INTERFACE
		-fsanitize=${CPUHERD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
	target_link_options(cpuherd_options INTERFACE -fsanitize=${CPUHERD_SANITIZE})
endif()

# cpuherd_library(NAME USES ...): a static library of all sources of this folder.
function(cpuherd_library name)
	file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.c)
	# What runs in a guest (peer/kernel) is no part of a program of ours.
	list(FILTER sources EXCLUDE REGEX "/main\\.c$|/kernel/")
	add_library(${name} STATIC ${sources})
	target_link_libraries(${name} PUBLIC cpuherd_options ${ARGN})
endfunction()
