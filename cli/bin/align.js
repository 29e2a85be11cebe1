#!/usr/bin/env node
console.log("align stub");
