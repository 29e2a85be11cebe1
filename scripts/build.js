console.log("ok prepare")
