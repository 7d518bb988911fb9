-- The extension is what its control file says it is.
SELECT extversion, extrelocatable FROM pg_extension WHERE extname = 'custmart';
