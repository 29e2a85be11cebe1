console.log("ok prepare");
