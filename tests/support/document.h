/* document.h - pages whose tables are printed from the code.
 *
 * A page has a part between a line "<!-- printed from SOURCE ..." and a line
 * "<!-- end -->".  The test that prints it compares; with UPDATE=1 in the
 * environment (scripts/update-docs) it writes.
 */
#ifndef TESTS_SUPPORT_DOCUMENT_H
#define TESTS_SUPPORT_DOCUMENT_H

#include "base/buf.h"

/* Fails the test when the part of docs/PAGE that is printed from `source`
 * differs from the text. */
void assert_document_part(const char *page, const char *source, const struct buf *text);

#endif
