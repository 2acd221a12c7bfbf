# SPDX-License-Identifier: LGPL-2.1-or-later
# Files as an array of C: cmake -DNAME=page -DFILES="a;b" -DOUTPUT=x.c -P embed.cmake
# Several files are one array, in their order.
set(hex "")
foreach(file ${FILES})
  file(READ ${file} one HEX)
  string(APPEND hex ${one})
endforeach()
string(LENGTH "${hex}" digits)
math(EXPR n "${digits} / 2")
string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${hex}")
file(WRITE ${OUTPUT} "// SPDX-License-Identifier: LGPL-2.1-or-later
// Made by cmake/embed.cmake.
#include \"src/report/assets.h\"

static const char bytes[] = {
${bytes}0};

const struct asset asset_${NAME} = {bytes, ${n}};
")
